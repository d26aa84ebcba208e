"""Scores against closed forms and against sets that are plain to see."""

import math

import pytest
import torch
from zoo_gan.scores import (
    class_shares,
    covered_modes,
    frechet_distance,
    gaussian_distance,
    kernel_distance,
    nearest,
    precision_recall,
    sliced_wasserstein,
)


def normal(count: int, size: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_distance_of_diagonal_gaussians() -> None:
    """|m|^2 + sum (s_a - s_b)^2 of the deviations."""
    mean = torch.tensor([1.0, 0.0, -2.0], dtype=torch.float64)
    a, b = torch.diag(torch.tensor([1.0, 4.0, 9.0])).double(), torch.diag(torch.tensor([4.0, 4.0, 1.0])).double()
    assert gaussian_distance(mean, a, 0 * mean, b) == pytest.approx(5 + 1 + 0 + 4)


def test_distance_of_any_gaussians_is_by_the_root_of_their_product() -> None:
    factors = normal(4, 4), normal(4, 4, seed=1)
    a, b = (factor @ factor.T for factor in factors)
    zero = torch.zeros(4, dtype=torch.float64)
    root = torch.linalg.eigvals(a @ b).sqrt().real.sum()  # tr (AB)^(1/2), whose eigenvalues are those of the roots
    assert gaussian_distance(zero, a, zero, b) == pytest.approx(float(a.trace() + b.trace() - 2 * root), rel=1e-9)


def test_distance_of_degenerate_gaussians() -> None:
    """Fewer samples than dimensions: the covariance has no full rank."""
    zero = torch.zeros(3, dtype=torch.float64)
    line = torch.diag(torch.tensor([4.0, 0.0, 0.0], dtype=torch.float64))
    assert gaussian_distance(zero, line, zero, 0 * line) == pytest.approx(4)


def test_distance_of_samples_is_that_of_their_moments() -> None:
    rows = normal(500, 3)
    assert frechet_distance(rows, rows) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(rows, rows + 2) == pytest.approx(3 * 4)
    spread = float(rows.var(0).sum())
    assert frechet_distance(rows - rows.mean(0), 3 * (rows - rows.mean(0))) == pytest.approx(4 * spread)


def test_kernel_distance_is_its_definition() -> None:
    real, made = normal(5, 2), normal(4, 2, seed=1) + 1

    def kernel(a: torch.Tensor, b: torch.Tensor) -> float:
        return (float(a @ b) / 2 + 1) ** 3

    pairs = [kernel(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j]
    others = [kernel(a, b) for i, a in enumerate(made) for j, b in enumerate(made) if i != j]
    across = [kernel(a, b) for a in real for b in made]
    expected = sum(pairs) / 20 + sum(others) / 12 - 2 * sum(across) / 20
    assert kernel_distance(real, made) == pytest.approx(expected)


def test_kernel_distance_by_subsets_is_near_the_whole_and_repeats() -> None:
    real, made = normal(3000, 2), normal(3000, 2, seed=1) + 1
    by_subsets = kernel_distance(real, made, subsets=10, size=500)
    assert by_subsets == kernel_distance(real, made, subsets=10, size=500)
    assert by_subsets == pytest.approx(kernel_distance(real, made, size=5000), rel=0.2)
    assert kernel_distance(normal(3000, 2), normal(3000, 2, seed=1)) == pytest.approx(0, abs=0.02)


def test_precision_and_recall_tell_missing_modes_from_bad_samples() -> None:
    real = torch.cat([normal(200, 2), normal(200, 2, seed=1) + 50])
    one_mode = normal(400, 2, seed=2)
    precision, recall = precision_recall(real, one_mode)
    assert precision > 90 and 45 < recall <= 50, "half of what is real is never made"
    half_bad = torch.cat([normal(200, 2, seed=3), normal(200, 2, seed=4) - 500])
    precision, recall = precision_recall(real[:200], half_bad)
    assert 45 < precision <= 50 and recall > 90
    assert precision_recall(real, real) == (100.0, 100.0)


def test_modes_are_classes_from_four_to_twenty_percent() -> None:
    shares = class_shares(torch.tensor([0] * 60 + [1] * 20 + [2] * 4 + [3] * 16), 10)
    assert shares.tolist() == pytest.approx([0.6, 0.2, 0.04, 0.16, 0, 0, 0, 0, 0, 0])
    assert covered_modes(shares) == 3
    assert covered_modes(torch.full((10,), 0.1)) == 10


def test_sliced_distance_of_a_shift_and_of_equals() -> None:
    rows = normal(400, 50)
    assert sliced_wasserstein(rows, rows.flip(0)) == pytest.approx(0, abs=1e-12)
    # along a direction u the shift is c times the sum of u; that has the mean size sqrt(2 / pi) in many dimensions
    assert sliced_wasserstein(rows, rows + 3, directions=4000) == pytest.approx(3 * math.sqrt(2 / math.pi), rel=0.05)


def test_nearest_is_by_distance() -> None:
    references = normal(2500, 4)
    places = torch.randperm(2500, generator=torch.Generator().manual_seed(1))[:1500]
    assert torch.equal(nearest(references[places] + 1e-4, references), places)
