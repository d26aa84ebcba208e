"""COCO, and what is wrong with folders of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.data.boxes.open import open_boxes
from zoo.errors import DataError

Folder = Callable[..., Path]
CATEGORIES = [{"id": 90, "name": "brush"}, {"id": 1, "name": "person", "supercategory": "animal"}]


def instances(names: tuple[str, ...], *annotations: dict[str, Any], **changed: Any) -> dict[str, Any]:
    images = [{"id": 7 + place, "file_name": name, "height": 40, "width": 60} for place, name in enumerate(names)]
    return {"images": images, "annotations": list(annotations), "categories": CATEGORIES, **changed}


def box(image: int = 7, category: int = 1, sides: Any = (6, 4, 24, 16), **more: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": image, "category_id": category, "bbox": sides, **more}


@pytest.fixture
def coco(tmp_path: Path, paint: Any) -> Folder:
    """Return a function that writes a folder of COCO from its files by their paths; pictures by their paths too."""

    def write(files: dict[str, Any], *pictures: str) -> Path:
        folder = tmp_path / "coco"
        for name in pictures:
            paint(folder / name)
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        return folder

    return write


def test_a_json_for_each_split_ids_with_gaps_and_crowds(coco: Folder) -> None:
    files = {
        "annotations/instances_train2017.json": instances(("a.jpg",), box(category=90), box(iscrowd=1)),
        "annotations/instances_val2017.json": instances(("b.jpg",), box()),
        "annotations/captions_train2017.json": {"nothing": "of ours"},
    }
    dataset = open_boxes(coco(files, "train2017/a.jpg", "val2017/b.jpg"), image_size=(20, 30))
    assert dataset.classes == ("person", "brush")
    train, test = dataset.splits["train"].boxes, dataset.splits["test"].boxes
    assert train is not None and train.tolist() == [[[3, 2, 15, 10, 1, 0], [3, 2, 15, 10, 0, 1]]]
    assert test is not None and test.tolist() == [[[3, 2, 15, 10, 0, 0]]]


@pytest.mark.parametrize("place", ["images/", "", "all/", "images/all/"])
def test_one_json_is_split_by_names_wherever_the_pictures_lie(coco: Folder, place: str) -> None:
    names = tuple(f"{number}.jpg" for number in range(10))
    annotations = [box(image=7 + number, category=(1, 90)[number % 2]) for number in range(10)]
    folder = coco({"annotations/instances_all.json": instances(names, *annotations)}, *(place + name for name in names))
    dataset = open_boxes(folder)
    assert {name: len(part) for name, part in dataset.splits.items()} == {"train": 8, "test": 2}
    assert open_boxes(folder).fingerprint == dataset.fingerprint


def test_split_folders_with_their_own_json(coco: Folder) -> None:
    files = {
        f"{split}/_annotations.coco.json": instances((f"{split}.jpg",), box()) for split in ("train", "valid", "test")
    }
    dataset = open_boxes(coco(files, *(f"{split}/{split}.jpg" for split in ("train", "valid", "test"))))
    assert set(dataset.splits) == {"train", "validation", "test"}


def test_a_changed_box_changes_the_fingerprint_and_decodes_nothing_again(coco: Folder, tmp_path: Path) -> None:
    name = "annotations/instances_all.json"
    pictures = ("images/a.jpg", "images/b.jpg")
    one = open_boxes(coco({name: instances(("a.jpg", "b.jpg"), box(), box(image=8))}, *pictures))
    kept = sorted((tmp_path / "zoo-cache" / "images").iterdir())
    other = open_boxes(coco({name: instances(("a.jpg", "b.jpg"), box(), box(image=8, sides=(6, 4, 24, 17)))}))
    assert one.fingerprint != other.fingerprint
    assert sorted((tmp_path / "zoo-cache" / "images").iterdir()) == kept


def refused(coco: Folder, content: Any, match: str) -> None:
    folder = coco({"annotations/instances_all.json": content}, "images/a.jpg", "images/b.jpg")
    with pytest.raises(DataError, match=match) as caught:
        open_boxes(folder)
    assert "\n" not in str(caught.value)


def test_091_broken_json_with_file_and_line(coco: Folder) -> None:
    refused(coco, '{"images": [],\n "annotations": [,]}', r"instances_all.json:2 is not JSON")


def test_091_empty_and_cut_off_json(coco: Folder) -> None:
    refused(coco, "", r"instances_all.json:1 is not JSON")
    refused(coco, '{"images": [],\n', r"instances_all.json:2 is not JSON")


def test_020_nested_too_deep(coco: Folder) -> None:
    refused(coco, '{"images": [], "x": ' + "[" * 100_000, "nested too deep|is not JSON")


def test_092_json_of_another_form(coco: Folder) -> None:
    refused(coco, {"images": []}, "is not in COCO's format: .*`annotations`")
    refused(coco, [], "is not in COCO's format")


@pytest.mark.parametrize("side", ['"six"', "NaN", "1e999", "null"])
def test_092_coordinate_that_is_no_number(coco: Folder, side: str) -> None:
    text = json.dumps(instances(("a.jpg", "b.jpg"), box(sides=[1, 2, 3, 9876]))).replace("9876", side)
    refused(coco, text, r"is not in COCO's format: .*bbox|:1 is not JSON")


def test_092_unknown_category_and_unknown_image(coco: Folder) -> None:
    refused(coco, instances(("a.jpg", "b.jpg"), box(category=5)), "annotation 0 of .* is of category 5, which is not")
    refused(
        coco, instances(("a.jpg", "b.jpg"), box(), box(image=99)), "annotation 1 of .* is of image 99, which is not"
    )


def test_092_an_id_twice_and_a_name_twice(coco: Folder) -> None:
    twice = instances(("a.jpg", "b.jpg"), box())
    twice["images"][1]["id"] = 7
    refused(coco, twice, "an image or a category twice by its id")
    names = [{"id": 1, "name": "person"}, {"id": 2, "name": "person"}]
    refused(coco, instances(("a.jpg", "b.jpg"), box(), categories=names), "has the class 'person' twice")


@pytest.mark.parametrize("name", ["../a.jpg", "/etc/a.jpg", "..\\a.jpg", "x/../../a.jpg", "C:/a.jpg", ""])
def test_094_picture_outside_of_the_folder(coco: Folder, name: str) -> None:
    refused(coco, instances(("b.jpg", name), box()), "names the file .* which is outside")


def test_091_missing_picture_unless_some_may_be(coco: Folder) -> None:
    content = instances(("a.jpg", "b.jpg", "gone.jpg"), box(), box(image=8), box(image=9))
    refused(coco, content, r"no picture .*gone.jpg, which .*instances_all.json annotates; add it, or allow some")
    folder = coco({"annotations/instances_all.json": content})
    assert sum(len(part) for part in open_boxes(folder, skip_bad=1).splits.values()) == 2


def test_092_jsons_that_disagree_on_categories(coco: Folder) -> None:
    files = {
        "annotations/instances_train.json": instances(("a.jpg",), box()),
        "annotations/instances_val.json": instances(("b.jpg",), box(), categories=CATEGORIES[1:]),
    }
    with pytest.raises(DataError, match="instances_val.json has other categories than instances_train.json"):
        open_boxes(coco(files, "train/a.jpg", "val/b.jpg"))


def test_jsons_that_number_and_order_their_categories_otherwise_mean_the_same_by_name(coco: Folder) -> None:
    others = [{"id": 1, "name": "brush"}, {"id": 2, "name": "person"}]
    files = {
        "annotations/instances_train.json": instances(("a.jpg",), box(category=1), box(category=90)),
        "annotations/instances_test.json": instances(("b.jpg",), box(category=2), box(category=1), categories=others),
    }
    dataset = open_boxes(coco(files, "train/a.jpg", "test/b.jpg"))
    assert dataset.classes == ("person", "brush")
    found = {name: split.boxes[0, :, 4].tolist() for name, split in dataset.splits.items() if split.boxes is not None}
    assert found == {"train": [0, 1], "test": [0, 1]}


@pytest.mark.parametrize("again", ["a.jpg", "./a.jpg"])
def test_092_one_file_under_two_ids_would_lose_a_part_of_its_boxes_each_time(coco: Folder, again: str) -> None:
    content = instances(("a.jpg", again, "b.jpg"), box(7), box(8), box(9))
    with pytest.raises(DataError, match=r"instances.json lists .*a.jpg as image 7 and as image 8.*; give it one id"):
        open_boxes(coco({"instances.json": content}, "a.jpg", "b.jpg"))


def test_092_jsons_whose_names_say_no_split(coco: Folder) -> None:
    files = {f"annotations/{name}.json": instances(("a.jpg",), box()) for name in ("one", "two")}
    with pytest.raises(DataError, match="names no split"):
        open_boxes(coco(files, "images/a.jpg"))
