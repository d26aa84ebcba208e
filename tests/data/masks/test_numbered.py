"""Masks that number objects instead of saying their classes."""

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data.masks.classes import number_objects
from zoo.data.masks.folder import open_mask_folder


def flags(*masks: tuple[int, ...]) -> np.ndarray:
    found = np.zeros((len(masks), 256), np.bool_)
    for row, values in enumerate(masks):
        found[row, list(values)] = True
    return found


@pytest.mark.parametrize(
    ("masks", "numbered"),
    [
        (((0, 1, 2, 3), (0, 1), (0, 1, 2)), True),
        (((0, 1, 2, 3, 4, 5, 6), (0,), (0, 1, 2, 3)), True),
        (((1, 2, 3), (1, 2)), True),
        (((0, 1, 2, 3, 255), (0, 1, 255)), True),
        (((0, 1, 2, 3), (0, 1, 2, 3)), False),
        (((0, 1, 2, 3), (0, 2)), False),
        (((0, 1), (0, 1, 2)), False),
        (((0, 7), (0, 15, 20), (0, 1)), False),
        (((0,), (0,)), False),
        (((255,),), False),
    ],
)
def test_132_values_that_number_objects_are_told_from_classes(
    masks: tuple[tuple[int, ...], ...], numbered: bool
) -> None:
    assert number_objects(flags(*masks)) is numbered


def folder_of(folder: Path, *counts: int) -> Path:
    """Write masks with so many objects each."""
    for place, count in enumerate(counts):
        for kind in ("images", "masks"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 8, 3), place, np.uint8)).save(folder / "images" / f"{place}.png")
        mask = np.zeros((4, 8), np.uint8)
        mask[0, 1 : 1 + count] = np.arange(1, count + 1)
        Image.fromarray(mask).save(folder / "masks" / f"{place}.png")
    return folder


def test_132_numbered_objects_are_warned_of_each_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = folder_of(tmp_path / "cells", 3, 5, 6, 1, 4, 2)
    for _ in range(2):
        caplog.clear()
        with caplog.at_level(logging.WARNING, "zoo"):
            dataset = open_mask_folder(folder)
        (line,) = [record.getMessage() for record in caplog.records]
        assert "as if they numbered objects; they are learnt as 7 classes" in line and "classes.txt" in line
    shares = dataset.class_shares()
    assert list(shares) == list("0123456") and sum(shares.values()) == pytest.approx(1)
    assert shares["0"] > 0.8 > 0.1 > shares["6"]


def test_132_named_classes_are_not_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = folder_of(tmp_path / "cells", 3, 5, 6, 1, 4, 2)
    (folder / "classes.txt").write_text("\n".join("abcdefg"))
    with caplog.at_level(logging.WARNING, "zoo"):
        open_mask_folder(folder)
    assert not caplog.records
