"""Pascal VOC, and what is wrong with folders of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.data.boxes.open import open_boxes
from zoo.errors import DataError

Folder = Callable[..., Path]
CAT = {"name": "cat", "xmin": "6", "ymin": "4", "xmax": "30", "ymax": "20"}


def xml(*objects: dict[str, Any], size: tuple[int, int] | None = (40, 60)) -> str:
    lines = ["<annotation>"]
    if size:
        lines.append(f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>")
    for item in objects:
        sides = "".join(f"<{side}>{item[side]}</{side}>" for side in ("xmin", "ymin", "xmax", "ymax") if side in item)
        difficult = f"<difficult>{item.get('difficult', 0)}</difficult>"
        lines.append(f"<object><name>{item['name']}</name>{difficult}<bndbox>{sides}</bndbox></object>")
    return "\n".join([*lines, "</annotation>", ""])


@pytest.fixture
def voc(tmp_path: Path, paint: Any) -> Folder:
    """Return a function that writes a folder of VOC: an annotation for each name, and lists where they are given."""

    def write(annotations: dict[str, str], **lists: str) -> Path:
        folder = tmp_path / "voc"
        for name, text in annotations.items():
            paint(folder / "JPEGImages" / f"{name}.jpg")
            (folder / "Annotations").mkdir(exist_ok=True)
            (folder / "Annotations" / f"{name}.xml").write_text(text)
        for name, text in lists.items():
            (folder / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
            (folder / "ImageSets" / "Main" / f"{name}.txt").write_text(text)
        return folder

    return write


def test_lists_are_the_splits_and_boxes_are_scaled(voc: Folder) -> None:
    dog = {**CAT, "name": "dog", "difficult": 1}
    folder = voc({"a": xml(CAT, dog), "b": xml(CAT), "c": xml()}, train="a\n", val="b\n", test="c\n", trainval="a\nb\n")
    dataset = open_boxes(folder, image_size=(20, 30))
    assert dataset.classes == ("cat", "dog")
    assert {name: len(part) for name, part in dataset.splits.items()} == {"train": 1, "validation": 1, "test": 1}
    train, test = dataset.splits["train"], dataset.splits["test"]
    assert train.boxes is not None and train.boxes.tolist() == [[[2.5, 1.5, 15, 10, 0, 0], [2.5, 1.5, 15, 10, 1, 2]]]
    assert train.sizes is not None and train.sizes.tolist() == [[40, 60]]
    assert test.boxes is not None and test.boxes[..., 4].tolist() == [[-1]], "a picture without boxes is a picture"
    dataset.check("boxes")


def test_corners_are_pixels_from_1_and_edges_where_a_tool_writes_0(voc: Folder) -> None:
    pixel = {"name": "cat", "xmin": "60", "ymin": "40", "xmax": "60", "ymax": "40"}
    train = open_boxes(voc({"a": xml(CAT, pixel), "b": xml(CAT)}, train="a", test="b")).splits["train"]
    assert train.boxes is not None
    assert train.boxes[0, :, :4].tolist() == [[5, 3, 30, 20], [59, 39, 60, 40]]
    edges = {**CAT, "xmin": "0"}
    train = open_boxes(voc({"a": xml(CAT, edges), "b": xml(CAT)}, train="a", test="b")).splits["train"]
    assert train.boxes is not None
    assert train.boxes[0, :, :4].tolist() == [[6, 4, 30, 20], [0, 4, 30, 20]]


def test_without_a_test_list_val_is_for_testing(voc: Folder) -> None:
    dataset = open_boxes(voc({"a": xml(CAT), "b": xml(CAT)}, train="a", val="b"))
    assert set(dataset.splits) == {"train", "test"}


def test_without_lists_a_fifth_is_for_testing_by_name(voc: Folder) -> None:
    folder = voc({f"p{place}": xml(CAT) for place in range(10)})
    sizes = {name: len(part) for name, part in open_boxes(folder).splits.items()}
    assert sizes == {"train": 8, "test": 2}


def test_a_size_of_zero_as_some_tools_write_it_is_no_size(voc: Folder) -> None:
    open_boxes(voc({"a": xml(CAT, size=(0, 0)), "b": xml(CAT, size=None)}, train="a", test="b"))


def refused(voc: Folder, text: str, match: str) -> None:
    folder = voc({"a": text, "b": xml(CAT)}, train="a", test="b")
    with pytest.raises(DataError, match=match) as caught:
        open_boxes(folder)
    assert "\n" not in str(caught.value) and "Annotations/a.xml" in str(caught.value)


def test_094_entity_bomb_is_refused_at_its_document_type(voc: Folder) -> None:
    bomb = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]>\n<annotation>&y;</annotation>'
    refused(voc, bomb, r"a\.xml:2 declares a document type")


def test_094_external_entity_is_refused(voc: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("cat")
    text = f'<!DOCTYPE a [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]><annotation>&s;</annotation>'
    refused(voc, text, "declares a document type")


def test_091_broken_xml_with_file_and_line(voc: Folder) -> None:
    refused(voc, "<annotation>\n<object>\n</annotation>", r"a\.xml:3:\d+ is not XML: mismatched tag")


def test_091_empty_xml(voc: Folder) -> None:
    refused(voc, "", r"a\.xml is an empty file")


def test_091_xml_of_something_else(voc: Folder) -> None:
    refused(voc, "<html></html>", "has no element <annotation>")


@pytest.mark.parametrize("text", ["nan", "inf", "ten", ""])
def test_092_coordinate_that_is_no_number(voc: Folder, text: str) -> None:
    refused(voc, xml({**CAT, "xmax": text}), r"a\.xml:3 <xmax> says .* instead of a finite number")


def test_092_missing_coordinate_and_missing_name(voc: Folder) -> None:
    refused(voc, xml({name: value for name, value in CAT.items() if name != "ymin"}), "a box without ymin")
    refused(voc, xml({**CAT, "name": ""}), "an object without a name")


def test_092_picture_of_another_size_than_annotated(voc: Folder) -> None:
    refused(voc, xml(CAT, size=(60, 40)), "boxes in a picture of 40x60, but .*a.jpg is 60x40")


def test_020_nested_too_deep(voc: Folder) -> None:
    refused(voc, "<annotation>" + "<a>" * 50_000, "is nested more than 64 deep")


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "x\\..\\a"])
def test_094_list_that_leads_out_of_the_folder(voc: Folder, name: str) -> None:
    folder = voc({"a": xml(CAT), "b": xml(CAT)}, train=f"a\n{name}\n", test="b")
    with pytest.raises(DataError, match="names the file .* which is outside"):
        open_boxes(folder)


def test_091_missing_annotation(voc: Folder) -> None:
    with pytest.raises(DataError, match=r"train.txt lists gone, but there is no .*gone.xml"):
        open_boxes(voc({"a": xml(CAT), "b": xml(CAT)}, train="a\ngone", test="b"))


def test_092_picture_for_training_and_for_test(voc: Folder) -> None:
    with pytest.raises(DataError, match="a.jpg is listed for both training and testing"):
        open_boxes(voc({"a": xml(CAT), "b": xml(CAT)}, train="a\nb", test="a"))


def test_092_lists_without_train(voc: Folder) -> None:
    with pytest.raises(DataError, match="has pictures for test; it needs train, and test or val"):
        open_boxes(voc({"a": xml(CAT), "b": xml(CAT)}, test="a\nb"))
