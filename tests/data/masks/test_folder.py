"""Folders of pictures with masks: every layout, and what bad ones get."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data.images.dataset import ImageDataset
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.masks import folder as reader
from zoo.data.masks.folder import open_mask_folder
from zoo.errors import DataError

Write = Callable[..., None]


def masks(dataset: ImageDataset, split: str) -> np.ndarray:
    found = dataset.splits[split].masks
    assert found is not None
    return found


def sizes(dataset: ImageDataset) -> dict[str, int]:
    return {name: len(split) for name, split in dataset.splits.items()}


# ------------------------------------------------------------------------------------------------ layouts


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


# ------------------------------------------------------------------------------------------------ sizes and tiers


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


# ------------------------------------------------------------------------------------------------ bad inputs


def bad(folder: Path, match: str, **options: int) -> None:
    with pytest.raises(DataError, match=match) as caught:
        open_mask_folder(folder, **options)  # type: ignore[arg-type]
    assert caught.value.exit_code == 9
    assert "\n" not in str(caught.value)


def test_091_empty_mask_file(street: Path) -> None:
    (street / "trainannot" / "train1.png").write_bytes(b"")
    bad(street, "train1.png is not a readable image")


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
