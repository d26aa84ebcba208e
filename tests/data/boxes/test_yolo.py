"""YOLO, and what is wrong with folders of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.data.boxes.open import open_boxes
from zoo.errors import DataError

Folder = Callable[..., Path]
NAMES = "names: [cat, dog]\nnc: 2\n"


@pytest.fixture
def yolo(tmp_path: Path, paint: Any) -> Folder:
    """Return a function that writes a folder of YOLO: texts by their paths, and pictures by theirs."""

    def write(files: dict[str, str], *pictures: str) -> Path:
        folder = tmp_path / "yolo"
        for name in pictures:
            paint(folder / name)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    return write


def test_split_folders_boxes_outlines_and_pictures_without_a_text(yolo: Folder) -> None:
    files = {
        "data.yaml": "train: ../train/images\nval: ../valid/images\n" + NAMES,
        "train/labels/a.txt": "1 0.5 0.5 0.5 0.2\n\n0 0.1 0.1 0.4 0.1 0.4 0.5 0.2 0.3\n",
        "valid/labels/b.txt": "0 0.5 0.5 1 1",
        "test/labels/c.txt": "",
    }
    pictures = ("train/images/a.jpg", "train/images/bare.jpg", "valid/images/b.jpg", "test/images/c.jpg")
    dataset = open_boxes(yolo(files, *pictures), image_size=(20, 40))
    assert dataset.classes == ("cat", "dog")
    boxes = dataset.splits["train"].boxes
    assert boxes is not None
    assert boxes[0, 0].tolist() == pytest.approx([10, 8, 30, 12, 1, 0])
    assert boxes[0, 1].tolist() == pytest.approx([4, 2, 16, 10, 0, 0])
    assert boxes[1, :, 4].tolist() == [-1, -1]
    assert {name: len(part) for name, part in dataset.splits.items()} == {"train": 2, "validation": 1, "test": 1}


def test_folders_of_splits_within_images_and_labels(yolo: Folder) -> None:
    files = {"dataset.yaml": "names:\n  0: cat\n  1: dog\n"}
    files |= {"labels/train2017/a.txt": "0 .5 .5 .5 .5\n1 .5 .5 .2 .2", "labels/val2017/b.txt": "1 .5 .5 .5 .5"}
    dataset = open_boxes(yolo(files, "images/train2017/a.jpg", "images/val2017/b.jpg"))
    assert dataset.classes == ("cat", "dog") and set(dataset.splits) == {"train", "test"}


def test_one_folder_is_split_by_names_and_classes_txt_or_numbers_name_the_classes(yolo: Folder) -> None:
    files = {f"labels/{number}.txt": f"{number % 2} .5 .5 .5 .5" for number in range(10)}
    folder = yolo(files, *(f"images/{number}.jpg" for number in range(10)))
    dataset = open_boxes(folder)
    assert dataset.classes == ("0", "1")
    assert {name: len(part) for name, part in dataset.splits.items()} == {"train": 8, "test": 2}
    (folder / "labels" / "classes.txt").write_text("cat\ndog\n")
    assert open_boxes(folder).classes == ("cat", "dog")


def refused(yolo: Folder, match: str, line: str = "0 .5 .5 .5 .5", names: str = NAMES) -> None:
    files = {"data.yaml": names, "labels/a.txt": f"0 .5 .5 .5 .5\n{line}\n", "labels/b.txt": "1 .5 .5 .5 .5"}
    with pytest.raises(DataError, match=match) as caught:
        open_boxes(yolo(files, "images/a.jpg", "images/b.jpg"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("line", ["0 .5 nan .5 .5", "0 .5 .5 .5 inf", "0 x .5 .5 .5", "cat .5 .5 .5 .5"])
def test_092_what_is_no_number_with_file_and_line(yolo: Folder, line: str) -> None:
    refused(yolo, r"labels/a.txt:2 says '.*' instead of a finite number", line)


@pytest.mark.parametrize("line", ["0", "0 .5 .5 .5", "0 .5 .5 .5 .5 .9", "0 .1 .1 .2 .2 .3 .3 .4"])
def test_092_too_few_or_too_many_numbers(yolo: Folder, line: str) -> None:
    refused(yolo, r"labels/a.txt:2 has \d numbers; write five", line)


@pytest.mark.parametrize("line", ["2 .5 .5 .5 .5", "-1 .5 .5 .5 .5", "0.5 .5 .5 .5 .5"])
def test_092_unknown_class(yolo: Folder, line: str) -> None:
    refused(yolo, r"labels/a.txt:2 is of the unknown class .*; classes are numbered from 0 to 1", line)


def test_092_class_number_beyond_reason(yolo: Folder) -> None:
    files = {"labels/a.txt": f"{'9' * 30} .5 .5 .5 .5", "labels/b.txt": "0 .5 .5 .5 .5"}
    with pytest.raises(DataError, match="a.txt:1 is of the unknown class 9+; correct it"):
        open_boxes(yolo(files, "images/a.jpg", "images/b.jpg"))


def test_092_pixels_where_shares_go(yolo: Folder) -> None:
    refused(yolo, r"labels/a.txt:2 says 320, apparently in pixels; write fractions", "0 320 20 10 10")


def test_091_text_that_is_none(yolo: Folder) -> None:
    folder = yolo({"data.yaml": NAMES, "labels/a.txt": ""}, "images/a.jpg", "images/b.jpg")
    (folder / "labels" / "a.txt").write_bytes(b"\xff\xfe0")
    with pytest.raises(DataError, match="a.txt is not UTF-8 at byte 0"):
        open_boxes(folder)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("names: [cat\nnc: 2", r"data.yaml:2 is not YAML"),
        ("nc: 2", "has no names"),
        ("[1, 2]", "has no names"),
        ("names: {0: cat, 2: dog}", "not numbered 0, 1, 2"),
        ("names: [cat, dog]\nnc: 3", "says nc: 3 but has 2 names"),
        ("names: [cat, cat]", "has the class 'cat' twice"),
        ("names: !!python/object/apply:os.system ['true']", "is not YAML: could not determine a constructor"),
    ],
)
def test_092_broken_names(yolo: Folder, text: str, match: str) -> None:
    refused(yolo, match, names=text)


def test_091_text_without_its_picture(yolo: Folder) -> None:
    files = {"data.yaml": NAMES, "labels/a.txt": "0 .5 .5 .5 .5", "labels/gone.txt": "1 .5 .5 .5 .5"}
    with pytest.raises(DataError, match=r"no picture .*gone.jpg, which .*gone.txt annotates"):
        open_boxes(yolo(files, "images/a.jpg", "images/b.jpg"))


def test_092_two_pictures_of_one_name(yolo: Folder) -> None:
    with pytest.raises(DataError, match="a.png and a.jpg share a name"):
        open_boxes(yolo({"labels/a.txt": "0 .5 .5 .5 .5"}, "images/a.jpg", "images/a.png"))
