"""Tables of boxes: where they lie, what their columns are called, and what is wrong with a line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data.boxes import table
from zoo.data.boxes.open import open_boxes
from zoo.errors import DataError

HEAD = "file,xmin,ymin,xmax,ymax,class\n"
LINES = ["a.png,1,2,5,6,cat", "a.png,0,0,3,3,dog", "b.png,2,2,8,8,dog", "c.png,,,,,", "d.png,1,1,4,4,cat"]


def write(folder: Path, name: str, text: str, pictures: str = "") -> Path:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    for stem in "abcd":
        path = (folder / name).parent / pictures / f"{stem}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((10, 20), ord(stem), np.uint8)).save(path)
    return folder


@pytest.mark.parametrize("pictures", ["", "images"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_boxes_of_a_table(tmp_path: Path, pictures: str, sign: str) -> None:
    write(tmp_path, "boxes.csv", (HEAD + "\n".join(LINES)).replace(",", sign), pictures)
    assert table.recognizes(tmp_path)
    read = table.read(tmp_path)
    assert read.classes == ("cat", "dog")
    found = {item.path.stem: [tuple(box)[:5] for box in item.boxes] for item in read.splits["all"]}
    assert found == {"a": [(1, 2, 5, 6, 0), (0, 0, 3, 3, 1)], "b": [(2, 2, 8, 8, 1)], "c": [], "d": [(1, 1, 4, 4, 0)]}
    dataset = open_boxes(tmp_path)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 3, "test": 1}
    assert dataset.image_size == (10, 20)


def test_a_table_in_each_split_as_roboflow_writes_them(tmp_path: Path) -> None:
    head = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
    for split, stems in (("train", "ab"), ("valid", "c"), ("test", "d")):
        rows = "".join(f"{stem}.png,20,10,cell,1,1,5,5\n" for stem in stems)
        write(tmp_path, f"{split}/_annotations.csv", head + rows)
    dataset = open_boxes(tmp_path)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 2, "validation": 1, "test": 1}
    assert dataset.classes == ("cell",)
    write(tmp_path, "test/_annotations.csv", head + "d.png,30,10,cell,1,1,5,5\n")
    with pytest.raises(DataError, match="has boxes in a picture of 30x10, but .*d.png is 20x10"):
        open_boxes(tmp_path)


@pytest.mark.parametrize("several", [True, False])
def test_a_column_or_the_names_of_tables_say_the_split(tmp_path: Path, several: bool) -> None:
    if several:
        write(tmp_path, "train_labels.csv", HEAD + "\n".join(LINES[:4]))
        write(tmp_path, "test_labels.csv", HEAD + LINES[4])
    else:
        rows = [f"{line},{'test' if line.startswith('d') else 'train'}\n" for line in LINES]
        write(tmp_path, "boxes.csv", HEAD.replace("class", "Class,Split") + "".join(rows))
    assert {name: len(split) for name, split in open_boxes(tmp_path).splits.items()} == {"train": 3, "test": 1}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a.png,1,2,x,6,cat", "line 2 of .* says 'x' instead of a finite number"),
        ("a.png,1,2,5,6,", "line 2 of .* has a box without a class"),
        ("../a.png,1,2,5,6,cat", "line 2 of .* names the file '../a.png', which is outside"),
        ("a.png,1,2,5,6", "line 2 of .* has 5 fields for 6 columns"),
        ("none.png,1,2,5,6,cat", "none.png"),
    ],
)
def test_136_a_line_that_is_wrong_is_named(tmp_path: Path, line: str, why: str) -> None:
    write(tmp_path, "boxes.csv", HEAD + "\n".join([line, *LINES]))
    with pytest.raises(DataError, match=why) as caught:
        open_boxes(tmp_path)
    assert caught.value.exit_code == 9


def test_a_folder_without_boxes_is_told_of_tables(tmp_path: Path) -> None:
    write(tmp_path, "labels.csv", "file,labels\na.png,cat\n")
    with pytest.raises(DataError, match=r"or a table \(\*.csv with the columns file, class, xmin"):
        open_boxes(tmp_path)
