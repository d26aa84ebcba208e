"""Folders of pictures with masks: every layout, and the lists and names that come with them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.masks.asked import bad, masks, sizes
from zoo.data.masks.folder import open_mask_folder
from zoo.errors import DataError

Write = Callable[..., None]


def test_splits_that_hold_images_and_masks(tmp_path: Path, write_pair: Write) -> None:
    for split in ("train", "val"):
        for place in range(3):
            write_pair(tmp_path / split / "images", tmp_path / split / "masks", f"{split}{place}")
    dataset = open_mask_folder(tmp_path)
    assert sizes(dataset) == {"train": 3, "test": 3}, "val is measured on where there is no test"
    assert dataset.classes == ("0", "1", "2"), "without names classes are the values that occur"
    mask = np.asarray(Image.open(tmp_path / "train" / "masks" / "train1.png"))
    assert np.array_equal(masks(dataset, "train")[1], mask)
    assert isinstance(masks(dataset, "train"), np.memmap)


def test_images_and_masks_that_hold_splits(tmp_path: Path, write_pair: Write) -> None:
    for split, count in (("training", 2), ("validation", 1), ("test", 3)):
        for place in range(count):
            write_pair(tmp_path / "images" / split, tmp_path / "masks" / split, f"{split}{place}")
    assert sizes(open_mask_folder(tmp_path)) == {"train": 2, "validation": 1, "test": 3}


def test_images_beside_masks_are_split_by_hash(tmp_path: Path, write_pair: Write) -> None:
    for place in range(10):
        write_pair(tmp_path / "images", tmp_path / "masks", f"p{place}")
    dataset = open_mask_folder(tmp_path)
    assert sizes(dataset) == {"train": 8, "test": 2}
    before = {tuple(image.ravel()) for image in dataset.splits["test"].images}  # type: ignore[union-attr]
    write_pair(tmp_path / "images", tmp_path / "masks", "another")
    after = {tuple(image.ravel()) for image in open_mask_folder(tmp_path).splits["test"].images}  # type: ignore[union-attr]
    assert before & after, "a picture stays on its side"


def test_segnet_with_names_of_which_one_does_not_count(street: Path) -> None:
    dataset = open_mask_folder(street)
    assert sizes(dataset) == {"train": 4, "validation": 2, "test": 3}
    assert dataset.classes == ("sky", "road", "car")
    values = np.asarray(Image.open(street / "testannot" / "test1.png"))
    assert np.array_equal(masks(dataset, "test")[1], np.array([0, 255, 1, 2], np.uint8)[values])


def test_segnet_lists_say_which_files(street: Path) -> None:
    (street / "train.txt").write_text("train/train2.png trainannot/train2.png\n\ntrain/train0.png\n")
    dataset = open_mask_folder(street)
    picture = np.asarray(Image.open(street / "train" / "train2.png")).transpose(2, 0, 1)
    assert sizes(dataset)["train"] == 2
    assert np.array_equal(dataset.splits["train"].images[np.array([0])][0], picture), "in the order of the list"


def test_voc_lists_and_names(tmp_path: Path, write_pair: Write) -> None:
    for place in range(5):
        write_pair(tmp_path / "JPEGImages", tmp_path / "SegmentationClass", f"p{place}", values=(0, 15, 255))
    write_pair(tmp_path / "JPEGImages", tmp_path / "elsewhere", "without a mask")
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("p0\np3\n")
    (lists / "val.txt").write_text("p1\n")
    (lists / "trainval.txt").write_text("p0\np1\np3\n")
    dataset = open_mask_folder(tmp_path)
    assert sizes(dataset) == {"train": 2, "test": 1}
    assert dataset.classes == ("background", "person")
    assert np.unique(masks(dataset, "train")).tolist() == [0, 1, 255]
    shutil.rmtree(lists)
    assert sizes(open_mask_folder(tmp_path)) == {"train": 4, "test": 1}, "without lists those that have masks"


def test_parents_names_and_palette_masks(street: Path) -> None:
    (street / "classes.txt").rename(street.parent / "classes.txt")
    for path in street.glob("*annot/*.png"):
        mask = Image.open(path)
        mask.putpalette(bytes(range(256)) * 3)
        assert mask.mode == "P"
        mask.save(path)
    dataset = open_mask_folder(street)
    assert dataset.classes == ("sky", "road", "car")
    assert np.unique(masks(dataset, "test")).tolist() == [0, 1, 2, 255], "indices and not colours"


def test_092_data_of_which_nothing_counts(street: Path) -> None:
    for path in (street / "trainannot").iterdir():
        Image.fromarray(np.full((6, 8), 1, np.uint8)).save(path)
    bad(street, "no pixel of the train masks .* counts")


def test_092_class_without_a_training_pixel(street: Path) -> None:
    (street / "classes.txt").write_text("sky\nvoid\nroad\ncar\nboat\n")
    dataset = open_mask_folder(street)
    with pytest.raises(DataError, match="no pixel of boat in its training masks; .* void"):
        dataset.check("masks")
    (street / "classes.txt").write_text("sky\nvoid\nroad\ncar\nvoid\n")
    open_mask_folder(street).check("masks")


def test_092_one_class_alone(tmp_path: Path, write_pair: Write) -> None:
    for split in ("train", "test"):
        write_pair(tmp_path / split / "images", tmp_path / split / "masks", split, values=(0, 255))
    with pytest.raises(DataError, match=r"only one class \(0\).*255 counts for none"):
        open_mask_folder(tmp_path).check("masks")


def test_092_a_split_without_pictures(street: Path) -> None:
    shutil.rmtree(street / "test")
    (street / "test").mkdir()
    bad(street, "the test split of .* has no pictures")


def test_092_training_pictures_alone(street: Path) -> None:
    for name in ("test", "val"):
        shutil.rmtree(street / name)
    bad(street, "for train but none for test; add some")


@pytest.mark.parametrize("line", ["../secret.png trainannot/train0.png", "train/train0.png ../x.png", "/etc/x.png"])
def test_094_a_list_leads_out_of_the_folder(street: Path, line: str) -> None:
    (street / "train.txt").write_text(f"train/train1.png trainannot/train1.png\n{line}\n")
    bad(street, r"line 2 of .*train.txt names '.*', which is outside")


def test_094_a_list_of_voc_leads_out_of_the_folder(tmp_path: Path, write_pair: Write) -> None:
    write_pair(tmp_path / "JPEGImages", tmp_path / "SegmentationClass", "p")
    write_pair(tmp_path, tmp_path, "secret")
    lists = tmp_path / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("../secret\n")
    bad(tmp_path, r"line 1 of .*train.txt names '../secret', of which .* has no picture")


def test_a_list_names_what_is_not_there(street: Path) -> None:
    (street / "test.txt").write_text("test/test9.png testannot/test9.png\n")
    bad(street, "line 1 of .*test.txt lists the image test/test9.png, which does not exist")


def test_a_list_of_three_words(street: Path) -> None:
    (street / "test.txt").write_text("test/a test/b test/c\n")
    bad(street, "line 1 of .*test.txt has 3 words")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "has 0 names"),
        (b"sky\n\nroad\n", "line 2 of .* is empty"),
        (b"sky\nroad\nsky\n", "names 'sky' twice"),
        (b"\xff\xfe", "is not UTF-8 at byte 0; convert it"),
        (b"\n".join(b"%d" % place for place in range(256)), "has 256 names"),
    ],
)
def test_bad_names_of_classes(street: Path, content: bytes, match: str) -> None:
    (street / "classes.txt").write_bytes(content)
    bad(street, match)


def test_no_layout_is_known(tmp_path: Path) -> None:
    bad(tmp_path, "no pictures with masks in .*; put them there as images")
    bad(tmp_path / "nowhere", "no folder .*nowhere")
