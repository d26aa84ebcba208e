"""Draws belong to samples: dealt out otherwise, each keeps its own."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.data.draws import Draws

EVERYTHING = Draws(3, 5, torch.arange(2000))


def drawn(draws: Draws) -> list[torch.Tensor]:
    return [draws.uniform("a", 3), draws.normal("b", 2, 5), draws.integers("c", -2, 7, 4)]


@given(samples=st.lists(st.integers(0, 1999), min_size=1, max_size=20))
def test_a_sample_draws_the_same_in_any_batch(samples: list[int]) -> None:
    some = Draws(3, 5, torch.tensor(samples))
    for one, all_ in zip(drawn(some), drawn(EVERYTHING), strict=True):
        assert torch.equal(one, all_[samples])


@pytest.mark.parametrize("other", [Draws(4, 5, torch.arange(2000)), Draws(3, 6, torch.arange(2000))])
def test_another_seed_or_epoch_draws_otherwise(other: Draws) -> None:
    assert (other.uniform("a") != EVERYTHING.uniform("a")).float().mean() > 0.99


def test_another_name_draws_otherwise() -> None:
    first, second = EVERYTHING.uniform("a", 50), EVERYTHING.uniform("b", 50)
    assert abs(float(torch.corrcoef(torch.stack([first.flatten(), second.flatten()]))[0, 1])) < 0.015


def test_uniform_is_uniform() -> None:
    numbers = EVERYTHING.uniform("a", 50)
    assert 0 <= float(numbers.min()) and float(numbers.max()) < 1
    counts = torch.histc(numbers, 20, 0, 1) / numbers.numel()
    assert torch.allclose(counts, torch.full((20,), 0.05), atol=0.003)
    neighbours = torch.corrcoef(torch.stack([numbers[:, :-1].flatten(), numbers[:, 1:].flatten()]))[0, 1]
    samples = torch.corrcoef(torch.stack([numbers[:-1].flatten(), numbers[1:].flatten()]))[0, 1]
    assert abs(float(neighbours)) < 0.015 and abs(float(samples)) < 0.015


def test_normal_is_normal() -> None:
    numbers = EVERYTHING.normal("a", 51)
    assert numbers.shape == (2000, 51)
    moments = [float((numbers**power).mean()) for power in (1, 2, 3, 4)]
    assert all(math.isclose(found, right, abs_tol=0.06) for found, right in zip(moments, (0, 1, 0, 3), strict=True))


def test_integers_take_every_value() -> None:
    numbers = EVERYTHING.integers("a", -3, 4, 20)
    assert numbers.unique().tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert torch.allclose(torch.bincount(numbers.flatten() + 3) / numbers.numel(), torch.tensor(1 / 7), atol=0.01)
