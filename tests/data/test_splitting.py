"""Data that are opened to be scored are one split, of every layout."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tasks.detection.test_recipe import write_voc
from zoo.data.boxes.open import open_boxes
from zoo.data.masks.folder import open_mask_folder
from zoo.data.splitting import to_be_scored
from zoo.data.text.columns import Columns
from zoo.data.text.documents import open_documents
from zoo.data.text.records import open_records


def sizes(dataset: object) -> dict[str, int]:
    return {name: len(split) for name, split in dataset.splits.items()}  # type: ignore[attr-defined]


def test_148_rows_of_one_table(tmp_path: Path) -> None:
    (tmp_path / "held.csv").write_text("text,label\n" + "".join(f"t{n},{'ab'[n % 2]}\n" for n in range(20)))
    assert sizes(open_records(tmp_path / "held.csv", Columns())) == {"train": 16, "test": 4}
    with to_be_scored():
        held = open_records(tmp_path / "held.csv", Columns())
    assert (sizes(held), held.classes) == ({"test": 20}, ("a", "b"))


@pytest.mark.parametrize("names", [("test",), ("train", "test"), ("train", "validation"), ("train",)])
def test_148_tables_of_a_folder(tmp_path: Path, names: tuple[str, ...]) -> None:
    for place, name in enumerate(names):
        (tmp_path / f"{name}.csv").write_text("text,label\n" + "t,a\n" * (place + 1))
    with to_be_scored():
        held = open_records(tmp_path, Columns())
    assert sizes(held) == {"test": len(names)}, "the last of the files is what is scored"


def test_148_plain_text(tmp_path: Path) -> None:
    (tmp_path / "held.txt").write_text("a line\n" * 10)
    with to_be_scored():
        (split,) = open_documents(tmp_path / "held.txt").splits.values()
    assert "".join(text for text, _ in split.pieces()) == "a line\n" * 10


def test_148_boxes(tmp_path: Path) -> None:
    folder = write_voc(tmp_path / "voc", 10)
    (folder / "ImageSets/Main/train.txt").unlink()
    (folder / "ImageSets/Main/test.txt").write_text("1\n2\n3\n")
    with to_be_scored():
        assert sizes(open_boxes(folder)) == {"test": 3}
    (folder / "ImageSets/Main/test.txt").unlink()
    with to_be_scored():
        assert sizes(open_boxes(folder)) == {"test": 10}
    assert sizes(open_boxes(folder)) == {"train": 8, "test": 2}


def test_148_masks(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
        for place in range(5):
            Image.fromarray(np.full((8, 8), place % 2, np.uint8)).save(tmp_path / name / f"{place}.png")
    with to_be_scored():
        held = open_mask_folder(tmp_path)
    assert (sizes(held), len(held.classes)) == ({"test": 5}, 2)
