"""What goes for every layout: boxes at the edge, bad pictures, classes without boxes, the real data sets."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.data.boxes.open import open_boxes
from zoo.errors import DataError

Folder = Callable[..., Path]
DATA = Path(os.environ.get("ZOO_DATA", "/nowhere"))


@pytest.fixture
def folder(tmp_path: Path, paint: Any) -> Folder:
    """Return a function that writes a folder of YOLO with classes cat and dog from lines for each picture."""

    def write(**lines: str) -> Path:
        for name, text in lines.items():
            paint(tmp_path / "data" / name.split("_")[0] / "images" / f"{name}.png")
            path = tmp_path / "data" / name.split("_")[0] / "labels" / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (tmp_path / "data" / "data.yaml").write_text("names: [cat, dog]")
        return tmp_path / "data"

    return write


def test_boxes_over_the_edge_are_cut_and_those_beyond_or_without_area_left_out_with_one_warning(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    lines = "0 0 0.5 0.5 0.5\n1 .5 .5 .5 .5\n0 1.5 .5 .2 .2\n0 .5 .5 0 .5\n0 .5 .5 .5 0"
    with caplog.at_level(logging.WARNING, "zoo"):
        dataset = open_boxes(folder(train_a=lines, test_b="0 .5 .5 .5 -.5"), image_size=(100, 100))
    boxes = dataset.splits["train"].boxes
    assert boxes is not None
    assert boxes[0, :2].tolist() == [[0, 25, 25, 75, 0, 0], [25, 25, 75, 75, 1, 0]]
    assert (boxes[0, 2:, 4] == -1).all()
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "dropped 4 boxes without area, or outside of the image" in warning and "train_a.txt" in warning


def test_091_empty_picture_file(folder: Folder) -> None:
    path = folder(train_a="0 .5 .5 .5 .5\n1 .5 .5 .5 .5", train_b="1 .5 .5 .5 .5", test_c="0 .5 .5 .5 .5")
    (path / "train" / "images" / "train_a.png").write_bytes(b"")
    with pytest.raises(DataError, match="train_a.png is an empty file"):
        open_boxes(path)


def test_091_a_picture_that_is_left_out_takes_its_boxes_along(folder: Folder) -> None:
    path = folder(train_a="0 .5 .5 .5 .5\n0 .4 .4 .4 .4", train_b="1 .5 .5 .5 .5", test_c="0 .5 .5 .5 .5")
    (path / "train" / "images" / "train_a.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    train = open_boxes(path, skip_bad=1).splits["train"]
    assert len(train) == 1 and train.boxes is not None and train.sizes is not None
    assert train.boxes[0, :, 4].tolist() == [1, -1]
    assert train.sizes.tolist() == [[40, 60]]


def test_092_class_without_training_boxes_is_said(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "zoo"):
        open_boxes(folder(train_a="0 .5 .5 .5 .5", test_b="1 .5 .5 .5 .5"))
    assert "1 of 2 classes have no box in the training images and will not be detected: dog" in caplog.text


def test_092_no_training_box_at_all(folder: Folder) -> None:
    with pytest.raises(DataError, match="no training picture has a box"):
        open_boxes(folder(train_a="", test_b="1 .5 .5 .5 .5"))


def test_096_a_changed_picture_changes_the_fingerprint_and_its_size(folder: Folder, paint: Any) -> None:
    path = folder(train_a="0 .5 .5 .5 .5\n1 .5 .5 .5 .5", test_b="0 .5 .5 .5 .5")
    before = open_boxes(path, image_size=(20, 30))
    paint(path / "train" / "images" / "train_a.png", (80, 60))
    after = open_boxes(path, image_size=(20, 30))
    assert before.fingerprint != after.fingerprint
    assert after.splits["train"].sizes is not None and after.splits["train"].sizes.tolist() == [[80, 60]]


def test_pictures_that_are_decoded_when_asked_for_are_the_same(folder: Folder) -> None:
    path = folder(train_a="0 .5 .5 .5 .5\n1 .5 .5 .5 .5", test_b="0 .5 .5 .5 .5")
    kept, streamed = open_boxes(path, stream=False).splits["train"], open_boxes(path, stream=True).splits["train"]
    assert kept.boxes is not None and np.array_equal(kept.boxes, streamed.boxes)  # type: ignore[arg-type]
    assert np.array_equal(kept.images[np.arange(1)], streamed.images[np.arange(1)])


def test_a_folder_of_something_else_and_one_level_too_high(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="is no folder of Pascal VOC .*COCO .*YOLO .*; arrange it so"):
        open_boxes(tmp_path / "empty")
    path = folder(train_a="0 .5 .5 .5 .5", test_b="0 .5 .5 .5 .5")
    with pytest.raises(DataError, match=f"; {path} is one, give that"):
        open_boxes(tmp_path)
    with pytest.raises(DataError, match="no folder .*nowhere"):
        open_boxes(tmp_path / "nowhere")


@pytest.mark.skipif(not (DATA / "bccd").is_dir(), reason="needs the blood cells: set ZOO_DATA")
def test_the_blood_cells_with_two_boxes_of_one_pixel() -> None:
    dataset = open_boxes(DATA / "bccd" / "BCCD", image_size=(48, 64))
    assert dataset.classes == ("Platelets", "RBC", "WBC")
    assert {name: len(part) for name, part in dataset.splits.items()} == {"train": 205, "validation": 87, "test": 72}
    boxes = sum(int((part.boxes[..., 4] >= 0).sum()) for part in dataset.splits.values() if part.boxes is not None)
    assert boxes == 4155 + 372 + 361  # two have equal corners, by which Pascal VOC means one pixel


@pytest.mark.skipif(not (DATA / "coco32").is_dir(), reason="needs 32 pictures of COCO: set ZOO_DATA")
def test_coco_with_a_crowd() -> None:
    dataset = open_boxes(DATA / "coco32", image_size=(32, 32))
    assert len(dataset.classes) == 80
    parts = [part.boxes for part in dataset.splits.values() if part.boxes is not None]
    assert sum(int((boxes[..., 4] >= 0).sum()) for boxes in parts) == 210
    assert sum(int(boxes[..., 5].sum()) for boxes in parts) == 1
