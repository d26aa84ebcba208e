"""The numbers are numpy's, of whole arrays, whatever the type and however the values lie in pieces."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from zoo_diff.numbers import DECADES, Numbers, Place, compare

import zoo

FLOATS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


def placed(folder: Path, name: str, tensor: torch.Tensor) -> Place:
    file = folder / f"{name}.safetensors"
    save_file({"before it": torch.zeros(3), "x": tensor}, file)
    header = zoo.stored_tensors(file).headers["x"]
    return Place(file, header.offset, header.dtype, header.shape, header.size)


def found(folder: Path, before: torch.Tensor, after: torch.Tensor) -> Numbers | None:
    return compare(placed(folder, "before", before), placed(folder, "after", after))


def expected(before: torch.Tensor, after: torch.Tensor) -> Numbers:
    was, now = before.double().numpy().ravel(), after.double().numpy().ravel()
    moved = np.abs(now - was)
    norm, norm_before = float(np.linalg.norm(moved)), float(np.linalg.norm(was))
    decades = np.clip(np.floor(np.log10(moved[moved > 0])), DECADES[0], DECADES[-1]).astype(int).tolist()
    counts = {decade: decades.count(decade) for decade in DECADES if decade in decades}
    relative = norm / norm_before if norm_before else None
    return Numbers(norm, relative, float(moved.max()), float((was != now).mean()), 0, counts)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40_000), st.sampled_from(FLOATS), st.sampled_from(FLOATS), st.integers(0, 1000))
def test_numbers_are_numpys_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, count: int, one: torch.dtype, other: torch.dtype, seed: int
) -> None:
    draws = torch.Generator().manual_seed(seed)
    before = torch.randn(count, generator=draws)
    after = before + 0.1 * torch.randn(count, generator=draws) * (torch.rand(count, generator=draws) < 0.5)
    before, after = before.to(one), after.to(other)
    numbers = found(tmp_path_factory.mktemp("pair"), before, after)
    if torch.equal(before.double(), after.double()):
        assert numbers is None
        return
    wanted = expected(before, after)
    assert numbers is not None
    assert (numbers.histogram, numbers.share, numbers.largest) == (wanted.histogram, wanted.share, wanted.largest)
    assert numbers.norm == pytest.approx(wanted.norm, rel=1e-12)
    assert numbers.relative == pytest.approx(wanted.relative, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.uint8, torch.float8_e4m3fn, torch.complex64])
def test_every_type_is_compared(tmp_path: Path, dtype: torch.dtype) -> None:
    before = torch.zeros(10).to(dtype)
    after = torch.tensor([1.0] + 9 * [0.0]).to(dtype)
    numbers = found(tmp_path, before, after)
    assert numbers == Numbers(1.0, None, 1.0, 0.1, 0, {0: 1})
    assert found(tmp_path, after, after) is None


def test_one_value_at_the_very_end_of_a_large_tensor_is_found(tmp_path: Path) -> None:
    before = torch.zeros(5_000_001)
    after = before.clone()
    after[-1] = 2.0
    numbers = found(tmp_path, before, after)
    assert numbers is not None
    assert (numbers.norm, numbers.histogram) == (2.0, {0: 1})


def test_nan_and_infinity_count_as_changed_and_in_nothing_else(tmp_path: Path) -> None:
    before = torch.tensor([1.0, 2.0, float("nan"), float("inf")])
    after = torch.tensor([1.0, 3.0, 4.0, float("inf")])
    numbers = found(tmp_path, before, after)
    assert numbers is not None
    assert (numbers.share, numbers.not_finite, numbers.norm) == (0.5, 2, 1.0)
    assert found(tmp_path, before, before) is None


def test_an_empty_tensor_has_not_changed(tmp_path: Path) -> None:
    assert found(tmp_path, torch.zeros(0, 4), torch.zeros(0, 4)) is None
    assert found(tmp_path, torch.zeros(0, 4), torch.zeros(0, 4, dtype=torch.bfloat16)) is None
