"""Masks that are broken, missing or of other sizes and values: each is named, or left out where that is asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.masks.asked import bad, masks, sizes
from zoo.data.masks.folder import open_mask_folder

Write = Callable[..., None]


def test_091_empty_mask_file(street: Path) -> None:
    (street / "trainannot" / "train1.png").write_bytes(b"")
    bad(street, "train1.png is an empty file")


def test_091_broken_mask_file(street: Path) -> None:
    path = street / "trainannot" / "train1.png"
    path.write_bytes(path.read_bytes()[:45])
    bad(street, "train1.png is a broken mask")


def test_091_missing_mask(street: Path) -> None:
    (street / "testannot" / "test1.png").unlink()
    bad(street, "test1.png has no mask .*testannot/test1.png; add it")


def test_091_skip_bad_leaves_out_picture_and_mask_together(street: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = open_mask_folder(street)
    (street / "trainannot" / "train0.png").write_bytes(b"")
    (street / "train" / "train2.png").write_bytes(b"no picture")
    bad(street, "train0.png", skip_bad=0)
    bad(street, "train2.png", skip_bad=1)
    for _ in range(2):  # decoded, and then from the cache
        caplog.clear()
        left = open_mask_folder(street, skip_bad=2)
        assert sizes(left) == {"train": 2, "validation": 2, "test": 3}
        for kept, place in ((0, 1), (1, 3)):
            index, old = np.array([kept]), np.array([place])
            assert np.array_equal(left.splits["train"].images[index], whole.splits["train"].images[old])
            assert np.array_equal(masks(left, "train")[kept], masks(whole, "train")[place])
        assert [record.message.split(":")[0] for record in caplog.records] == ["left out"] * 2


def test_092_mask_of_another_size_than_its_picture(street: Path) -> None:
    Image.fromarray(np.zeros((5, 7), np.uint8)).save(street / "valannot" / "val1.png")
    bad(street, r"val1.png is 7x5 and its picture val1.png 8x6; make them equal")


def test_092_unknown_value_names_file_and_value(street: Path) -> None:
    mask = np.zeros((6, 8), np.uint8)
    mask[2, 3] = 9
    Image.fromarray(mask).save(street / "testannot" / "test2.png")
    bad(street, r"test2.png has the value 9, for which .*classes.txt has no line; name the class")
    assert sizes(open_mask_folder(street, skip_bad=1))["test"] == 2


def test_092_value_that_no_training_mask_has(tmp_path: Path, write_pair: Write) -> None:
    for split, values in (("train", (0, 1)), ("test", (0, 1, 7))):
        write_pair(tmp_path / split / "images", tmp_path / split / "masks", split, values=values)
    bad(tmp_path, "test.png has the value 7, which no training mask has")


def test_092_mask_of_which_nothing_counts_is_legal(street: Path) -> None:
    Image.fromarray(np.full((6, 8), 255, np.uint8)).save(street / "trainannot" / "train0.png")
    assert (masks(open_mask_folder(street), "train")[0] == 255).all()


def test_092_colours_are_refused(street: Path) -> None:
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(street / "trainannot" / "train1.png")
    bad(street, r"train1.png is a colour image \(RGB\); save masks as palette or greyscale PNG")


def test_092_values_beyond_a_byte(street: Path) -> None:
    Image.fromarray(np.full((6, 8), 300, np.uint16)).save(street / "trainannot" / "train1.png")
    bad(street, "train1.png has the value 300")


def test_092_masks_with_losses_are_refused(street: Path) -> None:
    path = street / "trainannot" / "train1.png"
    Image.open(path).save(path.with_suffix(".jpg"))
    path.unlink()
    bad(street, "train1.jpg is lossily compressed")


def test_092_two_masks_of_one_name(street: Path) -> None:
    Image.open(street / "trainannot" / "train1.png").save(street / "trainannot" / "train1.bmp")
    bad(street, "two masks for 'train1'")


def test_093_mask_of_too_many_pixels(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.data.images.pictures.MAX_PIXELS", 48)
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(street / "trainannot" / "train1.png")
    bad(street, "trainannot/train1.png is too large: 9x9")
