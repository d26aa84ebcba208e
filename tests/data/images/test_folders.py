"""Folders of pictures: how deep they lie, what their splits are called, and what systems hide in them."""

import json
import logging
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data.boxes.open import open_boxes
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.idx import read_idx
from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.listing import pictures_in
from zoo.data.images.pictures import open_picture
from zoo.data.masks.folder import open_mask_folder
from zoo.errors import DataError


def paint(path: Path, shade: int | None = None) -> None:
    """Write a picture of one shade, or else of noise of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(list(str(path).encode())).integers(0, 256, (4, 6), np.uint8)
    Image.fromarray(noise if shade is None else np.full((4, 6), shade, np.uint8)).save(path)


def sizes(dataset: ImageDataset) -> dict[str, int]:
    return {name: len(split) for name, split in dataset.splits.items()}


def labels(dataset: ImageDataset, split: str) -> list[int]:
    found = dataset.splits[split].labels
    assert found is not None
    return sorted(found.tolist())


def hide(folder: Path) -> None:
    """Put beside pictures what macOS and notebooks leave there."""
    for inner in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        (inner / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        for name in ("._a.png", "._a.txt", "._a.xml", "._a.json", "._data.yaml"):
            (inner / name).write_bytes(b"\0\5\26\7")
    paint(folder / ".ipynb_checkpoints" / "a.png")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._a.png").write_bytes(b"\0\5\26\7")


def test_131_pictures_deeper_than_their_class_are_taken_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("cat", "dog"):
        for place in range(3):
            paint(tmp_path / name / f"{place}.png")
        for place in range(10):
            paint(tmp_path / name / "2024" / f"day{place}" / "x.png")
    with caplog.at_level(logging.WARNING, "zoo"):
        dataset = open_image_folder(tmp_path)
    assert dataset.classes == ("cat", "dog")
    assert sizes(dataset) == {"train": 20, "test": 6}
    assert labels(dataset, "test") == [0] * 3 + [1] * 3
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"20 of 26 pictures lie deeper than <class>/, first {tmp_path / 'cat' / '2024'}")


def test_131_a_folder_that_names_its_class_again_is_deeper_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for place in range(2):
        paint(tmp_path / "cat" / "cat" / f"{place}.png")
        paint(tmp_path / "dog" / f"{place}.png")
    assert open_image_folder(tmp_path).classes == ("cat", "dog")
    assert "2 of 4 pictures lie deeper" in caplog.text


def test_131_links_in_a_circle_end(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        paint(tmp_path / name / "a.png")
        paint(tmp_path / name / "b.png")
    (tmp_path / "cat" / "again").symlink_to(tmp_path)
    assert sum(sizes(open_image_folder(tmp_path)).values()) == 4


@pytest.mark.parametrize(
    "names", [("train", "valid", "test"), ("Training", "Validation", "Testing"), ("train", "val", "test")]
)
def test_131_splits_by_the_names_that_exports_have(names: tuple[str, str, str], tmp_path: Path) -> None:
    for split, count in zip(names, (3, 2, 1), strict=True):
        for name in ("cat", "dog"):
            for place in range(count):
                paint(tmp_path / split / name / f"{place}.png")
    (tmp_path / "README.roboflow.txt").write_text("exported")
    dataset = open_image_folder(tmp_path)
    assert sizes(dataset) == {"train": 6, "validation": 4, "test": 2}
    assert dataset.classes == ("cat", "dog")


@pytest.mark.parametrize("held_out", ["valid", "val", "validation"])
def test_131_a_split_for_validation_alone_is_tested_on(held_out: str, tmp_path: Path) -> None:
    for split in ("train", held_out):
        for name in ("cat", "dog"):
            paint(tmp_path / split / name / "a.png")
    assert sizes(open_image_folder(tmp_path)) == {"train": 2, "test": 2}


def test_131_a_split_for_training_alone_is_split(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        for place in range(5):
            paint(tmp_path / "train" / name / f"{place}.png")
    dataset = open_image_folder(tmp_path)
    assert (sizes(dataset), dataset.classes) == ({"train": 8, "test": 2}, ("cat", "dog"))


def test_131_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("car", "train"):
        for place in range(2):
            paint(tmp_path / name / f"{place}.png")
    assert open_image_folder(tmp_path).classes == ("car", "train")


def test_131_splits_that_cannot_be_trained_on(tmp_path: Path) -> None:
    paint(tmp_path / "test" / "cat" / "a.png")
    with pytest.raises(DataError, match="has no folder train beside test; add one, or give that folder alone"):
        open_image_folder(tmp_path)
    paint(tmp_path / "val" / "cat" / "a.png")
    paint(tmp_path / "valid" / "cat" / "a.png")
    with pytest.raises(DataError, match="has both val and valid, one split; keep one of them"):
        open_image_folder(tmp_path)


def test_131_tables_of_labels_in_splits_by_any_name(tmp_path: Path) -> None:
    for split in ("train", "val"):
        for name in ("a", "b"):
            paint(tmp_path / split / f"{name}.png")
        (tmp_path / split / "labels.csv").write_text("file,label\na.png,cat\nb.png,dog\n")
    assert sizes(open_image_folder(tmp_path)) == {"train": 2, "test": 2}


def test_131_pictures_to_predict_lie_deep_and_hidden_ones_do_not(tmp_path: Path) -> None:
    paint(tmp_path / "a.png")
    paint(tmp_path / "cat" / "deep" / "b.png")
    hide(tmp_path)
    assert pictures_in([tmp_path]) == [tmp_path / "a.png", tmp_path / "cat" / "deep" / "b.png"]


def test_131_boxes_and_masks_of_pictures_in_folders_of_their_own(tmp_path: Path) -> None:
    for city in ("ulm", "bonn"):
        for place in range(3):
            for kind in ("yolo/images", "masks/images"):
                paint(tmp_path / kind / city / f"{place}.png")
            paint(tmp_path / "masks" / "masks" / city / f"{place}.png", shade=place % 2)
            text = tmp_path / "yolo" / "labels" / city / f"{place}.txt"
            text.parent.mkdir(parents=True, exist_ok=True)
            text.write_text("0 0.5 0.5 0.2 0.2\n")
    assert sum(sizes(open_boxes(tmp_path / "yolo")).values()) == 6
    assert sum(sizes(open_mask_folder(tmp_path / "masks")).values()) == 6


def test_hidden_files_are_not_taken(tmp_path: Path) -> None:
    for place in range(3):
        for kind in ("classes/cat", "classes/dog", "yolo/images", "voc/JPEGImages", "coco/images", "street/images"):
            paint(tmp_path / kind / f"{place}.png")
        (tmp_path / "street" / "masks").mkdir(exist_ok=True)
        Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6) % 2).save(
            tmp_path / "street" / "masks" / f"{place}.png"
        )
        for kind, suffix, text in (
            ("yolo/labels", "txt", "0 0.5 0.5 0.2 0.2\n"),
            (
                "voc/Annotations",
                "xml",
                "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>3</ymax>"
                "</bndbox></object></annotation>",
            ),
        ):
            (tmp_path / kind).mkdir(exist_ok=True)
            (tmp_path / kind / f"{place}.{suffix}").write_text(text)
    (tmp_path / "coco" / "all.json").write_text(
        json.dumps(
            {
                "images": [{"id": place, "file_name": f"{place}.png"} for place in range(3)],
                "categories": [{"id": 1, "name": "cat"}],
                "annotations": [{"image_id": place, "category_id": 1, "bbox": [1, 1, 2, 2]} for place in range(3)],
            }
        )
    )
    for kind in ("classes", "yolo", "voc", "coco", "street"):
        hide(tmp_path / kind)
    assert sum(sizes(open_image_folder(tmp_path / "classes")).values()) == 6
    assert [sum(sizes(open_boxes(tmp_path / kind)).values()) for kind in ("yolo", "voc", "coco")] == [3, 3, 3]
    assert sum(sizes(open_mask_folder(tmp_path / "street")).values()) == 3


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_121_a_pipe_among_pictures_and_annotations_is_passed_over_or_named(tmp_path: Path) -> None:
    for place in range(2):
        paint(tmp_path / "yolo" / "images" / f"{place}.png")
    (tmp_path / "yolo" / "labels").mkdir()
    (tmp_path / "yolo" / "labels" / "1.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    os.mkfifo(tmp_path / "yolo" / "images" / "pipe.png")
    os.mkfifo(tmp_path / "yolo" / "labels" / "0.txt")
    assert sum(sizes(open_boxes(tmp_path / "yolo")).values()) == 2
    os.mkfifo(tmp_path / "all.json")
    with pytest.raises(DataError, match=r"all\.json is a pipe or a device and no file"):
        open_boxes(tmp_path)
    for read in (open_picture, read_idx):
        with pytest.raises(DataError, match=r"all\.json is a pipe or a device and no file"):
            read(tmp_path / "all.json")


def test_pictures_of_endings_that_are_not_read_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for place in range(4):
        paint(tmp_path / "cat" / f"{place}.png")
        paint(tmp_path / "dog" / f"{place}.jfif.png")
        (tmp_path / "dog" / f"{place}.jfif.png").rename(tmp_path / "dog" / f"{place}.jfif")
        (tmp_path / "dog" / f"{place}.heic").write_bytes(b"ftypheic")
        (tmp_path / "dog" / f"{place}.txt").write_text("a caption")
    assert sum(sizes(open_image_folder(tmp_path)).values()) == 8
    (told,) = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert "4 files end in .heic, which is not read (convert to .png or .jpg)" in told


def test_a_folder_of_such_pictures_alone_is_refused_with_their_number(tmp_path: Path) -> None:
    (tmp_path / "0.HEIC").write_bytes(b"ftypheic")
    for read in (open_image_folder, lambda folder: pictures_in([folder])):
        with pytest.raises(DataError, match=r"but 1 file ends in \.heic, which is not read"):
            read(tmp_path)
