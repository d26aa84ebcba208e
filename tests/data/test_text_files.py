"""Text files: where lines end, the mark at their beginning, and that nothing reads them in another way."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from zoo.data.boxes import coco, voc, yolo
from zoo.data.images.label_table import read_label_table
from zoo.data.masks.classes import named_values
from zoo.data.masks.layouts import find_layout
from zoo.data.text.columns import Columns
from zoo.data.text.documents import open_documents
from zoo.data.text.records import open_records
from zoo.data.text.typed import named_texts
from zoo.data.text_files import decoded, read_text, split_lines
from zoo.errors import DataError
from zoo.inference.text.embed import _texts
from zoo.publishing.readme_merge import parse_readme
from zoo.strict_json import parse_json
from zoo.strict_toml import read_toml

PROJECT = Path(__file__).parents[2]
SEPARATORS = ("\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e")
MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize("inside", SEPARATORS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_134_line_separators_stay_inside(inside: str, end: str) -> None:
    text = f"a{inside}b{end}{end}c{inside}"
    assert split_lines(text) == [f"a{inside}b", "", f"c{inside}"]
    assert split_lines(text + end) == [f"a{inside}b", "", f"c{inside}"]
    assert "".join(split_lines(text, keep_ends=True)) == text and len(split_lines(text, keep_ends=True)) == 3
    assert split_lines("") == []


def test_134_nothing_splits_text_in_another_way() -> None:
    files = [path for folder in ("zoo", "plugins") for path in (PROJECT / folder).rglob("*.py")]
    product = [path for path in files if "tests" not in path.relative_to(PROJECT).parts]
    assert len(product) > 300
    found = {
        f"{path.relative_to(PROJECT)}: {line.strip()}"
        for path in product
        for line in path.read_text(encoding="utf-8").split("\n")
        if re.search(r"\.splitlines\(", line) and "read_bytes().splitlines()" not in line
    }
    assert found == {  # bytes end their lines as files do
        'zoo/strict_toml.py: if any(line.count(b".") > _MAX_DOTS for line in content.splitlines()):'
    }


def test_134_paired_files_with_form_feeds_pair_up(tmp_path: Path) -> None:
    for end in ("de", "en"):
        lines = [f"{end} {number}" for number in range(100)]
        lines[30 if end == "de" else 70] += "\x0c and more"
        for split in ("train", "test"):
            (tmp_path / f"{split}.{end}").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    split = open_records(tmp_path, Columns(text="de", target="en")).splits["train"]
    assert len(split) == 100
    assert [text.split()[1] for text in split.texts] == [line.split()[1] for line in split.written or ()]  # type: ignore[union-attr]


@pytest.mark.parametrize("inside", SEPARATORS)
def test_134_json_lines_and_tables_keep_them(tmp_path: Path, inside: str) -> None:
    rows = [{"text": f"a{inside}b", "label": "x"}, {"text": "c", "label": "y"}]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if inside < " ":  # JSON writes these as escapes
        assert json.dumps(inside)[1:-1] in lines
    for split in ("train", "test"):
        (tmp_path / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    assert list(open_records(tmp_path, Columns()).splits["train"].texts) == [f"a{inside}b", "c"]  # type: ignore[arg-type]
    (tmp_path / "train.jsonl").unlink()
    (tmp_path / "train.csv").write_text(f"text,label\na{inside}b,x\nc,y\n", encoding="utf-8")
    assert list(open_records(tmp_path, Columns()).splits["train"].texts) == [f"a{inside}b", "c"]  # type: ignore[arg-type]


def test_134_lines_of_plain_texts_and_of_typed_files(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_bytes("a\u2028b\r\nc\x85d\n\n e\x0c\n".encode())
    assert list(named_texts([str(path)])) == [
        (f"{path}:1", "a\u2028b", None),
        (f"{path}:2", "c\x85d", None),
        (f"{path}:4", " e\x0c", None),
    ]
    (tmp_path / "test.txt").write_text("x")
    assert list(_texts(open_documents(tmp_path).splits["train"])) == ["a\u2028b", "c\x85d", " e\x0c"]


def test_134_names_and_lists_of_annotations(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("sky\x0c high\nsea\n", encoding="utf-8")
    assert len(named_values(tmp_path / "classes.txt").classes) == 2
    assert parse_readme("---\ntitle: a\u2028---\nlicense: mit\n---\nbody").metadata == (
        "title: a\u2028---\n",
        "license: mit\n",
    )


Reader = Callable[[Path], Any]


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(MARK + content.encode())


def _picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(path)


def _documents(folder: Path) -> Any:
    _write(folder / "train.txt", "a\n")
    _write(folder / "test.txt", "b\n")
    return [piece for piece, _ in open_documents(folder).splits["train"].pieces()]


def _table(suffix: str, content: str) -> Reader:
    def read(folder: Path) -> Any:
        for split in ("train", "test"):
            _write(folder / f"{split}{suffix}", content)
        return list(open_records(folder, Columns()).splits["train"].texts)  # type: ignore[arg-type]

    return read


def _paired(folder: Path) -> Any:
    for split in ("train", "test"):
        _write(folder / f"{split}.de", "a\n")
        (folder / f"{split}.en.gz").write_bytes(gzip.compress(MARK + b"b\n"))
    split = open_records(folder, Columns(text="de", target="en")).splits["train"]
    return [*split.texts, *(split.written or ())]  # type: ignore[misc]


def _typed(folder: Path) -> Any:
    _write(folder / "lines.txt", "a\n")
    return [text for _, text, _ in named_texts([str(folder / "lines.txt")])]


def _yolo(folder: Path) -> Any:
    _write(folder / "classes.txt", "a\n")
    _write(folder / "labels" / "p.txt", "0 0.5 0.5 0.5 0.5\n")
    _picture(folder / "images" / "p.png")
    read = yolo.read(folder)
    return [*read.classes, len(read.splits["all"][0].boxes)]


def _voc(folder: Path) -> Any:
    for name in ("train", "test"):
        _write(folder / "ImageSets" / "Main" / f"{name}.txt", f"{name}\n")
        box = "<bndbox><xmin>0</xmin><ymin>0</ymin><xmax>2</xmax><ymax>2</ymax></bndbox>"
        thing = f"<object><name>a</name>{box}</object>"
        _write(folder / "Annotations" / f"{name}.xml", f"<annotation>{thing}</annotation>")
        _picture(folder / "JPEGImages" / f"{name}.png")
    return voc.read(folder).classes


def _coco(folder: Path) -> Any:
    images = [{"id": 1, "file_name": "p.png"}]
    boxes = [{"image_id": 1, "category_id": 1, "bbox": [0, 0, 2, 2]}]
    known = {"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "a"}]}
    _write(folder / "annotations.json", json.dumps(known))
    _picture(folder / "p.png")
    return coco.read(folder).classes


def _masks(folder: Path) -> Any:
    for name in ("train", "test"):
        _picture(folder / name / "p.png")
        _picture(folder / f"{name}annot" / "p.png")
        _write(folder / f"{name}.txt", f"{name}/p.png\n")
    return len(find_layout(folder).pairs["train"])


def _label_table(folder: Path) -> Any:
    _picture(folder / "p.png")
    _write(folder / "labels.csv", "file,label\np.png,a\n")
    table = read_label_table(folder)
    return None if table is None else table.classes


def _toml(folder: Path) -> Any:
    _write(folder / "r.toml", "a = 1\n")
    return read_toml(folder / "r.toml")


@pytest.mark.parametrize(
    ("read", "wanted"),
    [
        (_documents, ["a\n"]),
        (_table(".csv", "text\na\n"), ["a"]),
        (_table(".tsv", '"text"\n"a"\n'), ["a"]),
        (_table(".jsonl", '{"text": "a"}'), ["a"]),
        (_table(".json", '[{"text": "a"}]'), ["a"]),
        (_paired, ["a", "b"]),
        (_typed, ["a"]),
        (_yolo, ["a", 1]),
        (_voc, ("a",)),
        (_coco, ("a",)),
        (_masks, 1),
        (_label_table, ("a",)),
        (_toml, {"a": 1}),
        (lambda folder: parse_json(MARK + b'{"a": 1}', "x"), {"a": 1}),
        (lambda folder: parse_readme((MARK + b"---\na: 1\n---\n").decode()).metadata, ("a: 1\n",)),
        (lambda folder: decoded(MARK + b"a", "x"), "a"),
        (lambda folder: decoded(MARK + b"a", "x", at=7), "\ufeffa"),
    ],
)
def test_135_the_mark_is_taken_off_where_a_file_begins(tmp_path: Path, read: Reader, wanted: Any) -> None:
    assert read(tmp_path) == wanted


def test_a_small_file_that_is_large_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with pytest.raises(DataError, match="has more than 2 bytes"):
        read_text(tmp_path / "a", maximum=2)
    with pytest.raises(DataError, match="cannot be read"):
        read_text(tmp_path / "b")
