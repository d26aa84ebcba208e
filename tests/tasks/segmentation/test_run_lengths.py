"""Masks are written as pycocotools reads them."""

import numpy as np
import pytest
import torch

from zoo.tasks.segmentation.run_lengths import run_lengths

CLASSES = ("sky", "road", "car")


def read(counts: list[int], shape: tuple[int, int]) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    mask = pytest.importorskip("pycocotools.mask", reason="needs the detection extra: pip install -e '.[detection]'")
    found: np.ndarray[tuple[int, ...], np.dtype[np.uint8]] = mask.decode(
        mask.frPyObjects({"size": list(shape), "counts": counts}, *shape)
    )
    return found


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own
@pytest.mark.parametrize("seed", range(8))
def test_any_mask_comes_back_from_pycocotools(seed: int) -> None:
    random = np.random.default_rng(seed)
    shape = (int(random.integers(1, 12)), int(random.integers(1, 12)))
    values = random.choice(np.array([0, 1, 2, 255], np.uint8), shape, p=random.dirichlet([1, 1, 1, 0.3]))
    found = run_lengths(torch.from_numpy(values), CLASSES)
    names = dict(zip((0, 1, 2, 255), (*CLASSES, "void"), strict=True))
    assert set(found) == {names[value] for value in np.unique(values).tolist()}
    for value, name in names.items():
        if name in found:
            assert np.array_equal(read(found[name], shape), values == value)


def test_runs_go_down_the_columns_and_begin_outside() -> None:
    mask = torch.tensor([[0, 1, 1], [0, 0, 1]], dtype=torch.uint8)
    assert run_lengths(mask, CLASSES) == {"sky": [0, 2, 1, 1, 2], "road": [2, 1, 1, 2]}
