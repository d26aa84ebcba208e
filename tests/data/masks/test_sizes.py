"""Masks of every size, in every tier: what is learnt from is scaled, what is measured on is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.masks.asked import masks
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.masks import folder as reader
from zoo.data.masks.folder import open_mask_folder

Write = Callable[..., None]


def test_masks_to_learn_from_are_scaled_and_those_to_measure_on_are_not(street: Path) -> None:
    dataset = open_mask_folder(street, image_size=(3, 4))
    assert dataset.splits["test"].images.shape == (3, 3, 3, 4)
    train = dataset.splits["train"].training["masks"]
    assert train.shape == (4, 3, 4)
    assert masks(dataset, "test").shape == (3, 6, 8)
    values = np.asarray(Image.open(street / "trainannot" / "train0.png"))
    table = np.array([0, 255, 1, 2], np.uint8)
    assert np.array_equal(train[0], table[values][1::2, 1::2]), "the pixel at each centre"


def test_masks_of_several_sizes_keep_them_to_measure_on(street: Path, write_pair: Write) -> None:
    write_pair(street / "test", street / "testannot", "larger", size=12)
    dataset = open_mask_folder(street, image_size=(3, 4))
    test = dataset.splits["test"]
    assert sorted(map(tuple, test.targets["sizes"].tolist())) == [(6, 8), (6, 8), (6, 8), (12, 14)]
    found = test.masks[np.arange(4)]
    assert found.shape == (4, 12, 14)
    values = np.array([0, 255, 1, 2], np.uint8)[np.asarray(Image.open(street / "testannot" / "larger.png"))]
    assert any(np.array_equal(mask, values) for mask in found)
    small = found[[tuple(size) == (6, 8) for size in test.targets["sizes"].tolist()]]
    assert (small[:, 6:] == 255).all() and (small[:, :, 8:] == 255).all(), "what is filled up does not count"
    assert dataset.splits["train"].training["masks"].shape == (4, 3, 4)


def test_large_masks_are_decoded_when_they_are_measured_on(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = masks(open_mask_folder(street, image_size=(3, 4)), "test")
    monkeypatch.setattr(reader, "_OWN_SIZE_UP_TO", 3 * 6 * 8 - 1)
    found = open_mask_folder(street, image_size=(3, 4)).splits["test"].masks
    assert not isinstance(found, np.ndarray) and np.array_equal(found[np.arange(3)], kept)


def test_what_is_held_out_is_measured_at_the_files_size_and_classes_can_be_moved(street: Path) -> None:
    held = open_mask_folder(street, image_size=(3, 4)).hold_out(0.25, 0).with_classes(("car", "road", "sky", "bus"))
    (mask,) = held.splits["validation"].masks[np.arange(1)]
    assert mask.shape == (6, 8) and not held.splits["validation"].training
    trained = held.splits["train"].training["masks"]
    assert trained.shape == (3, 3, 4) and set(np.unique(trained).tolist()) <= {0, 1, 2, 255}


def test_streamed_pictures_have_the_same_masks(street: Path) -> None:
    kept, streamed = (open_mask_folder(street, stream=stream) for stream in (False, True))
    assert isinstance(streamed.splits["train"].images, UndecodedImages)
    assert np.array_equal(masks(kept, "train"), masks(streamed, "train"))


def test_opened_again_nothing_is_decoded(street: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = open_mask_folder(street)
    monkeypatch.setattr("zoo.data.masks.stored.decode_masks", None)
    monkeypatch.setattr("zoo.data.images.decoded.decode_all", None)
    assert open_mask_folder(street).fingerprint == first.fingerprint


def test_096_a_mended_mask_is_read_anew(street: Path) -> None:
    first = open_mask_folder(street)
    Image.fromarray(np.full((6, 8), 3, np.uint8)).save(street / "trainannot" / "train0.png")
    second = open_mask_folder(street)
    assert second.fingerprint != first.fingerprint
    assert (masks(second, "train")[0] == 2).all()
