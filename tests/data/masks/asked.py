"""What tests of folders of masks ask of a data set."""

from pathlib import Path

import numpy as np
import pytest

from zoo.data.images.dataset import ImageDataset
from zoo.data.masks.folder import open_mask_folder
from zoo.errors import DataError


def masks(dataset: ImageDataset, split: str) -> np.ndarray:
    found = dataset.splits[split].masks
    assert found is not None
    return found


def sizes(dataset: ImageDataset) -> dict[str, int]:
    return {name: len(split) for name, split in dataset.splits.items()}


def bad(folder: Path, match: str, **options: int) -> None:
    with pytest.raises(DataError, match=match) as caught:
        open_mask_folder(folder, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == 9
    assert "\n" not in str(caught.value)
