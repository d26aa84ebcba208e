"""Whatever bytes annotations hold, they are read or refused in one line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.data.boxes import coco, voc, yolo
from zoo.errors import DataError

XML = (
    b"<annotation><size><width>60</width><height>40</height></size>\n<object><name>cat</name><bndbox><xmin>6</xmin>"
    b"<ymin>4</ymin><xmax>30</xmax><ymax>20</ymax></bndbox></object></annotation>"
)
JSON = json.dumps(
    {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 40, "width": 60}, {"id": 2, "file_name": "b.jpg"}],
        "annotations": [{"image_id": 1, "category_id": 3, "bbox": [1, 2.5, 3, 4], "iscrowd": 0}],
        "categories": [{"id": 3, "name": "cat"}],
    }
).encode()
YAML = b"names: [cat, dog]\nnc: 2\n"
TEXT = b"0 0.5 0.5 0.5 0.25\n1 .1 .1 .4 .1 .4 .5\n"
PIECES = [
    b"",
    b"\0",
    b"\xff",
    b"<",
    b"&x;",
    b"<!DOCTYPE a>",
    b"nan",
    b"-1",
    b"1e999",
    b"[[",
    b"{",
    b"../",
    b"\n",
    b"9" * 30,
]
EDITS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=4)), max_size=4
)


def edited(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for place, length, piece in edits:
        place %= len(content) + 1
        content = content[:place] + piece + content[place + length :]
    return content


@pytest.mark.parametrize(
    ("layout", "name", "content", "others"),
    [
        pytest.param(voc, "Annotations/a.xml", XML, {"Annotations/b.xml": XML}, id="voc"),
        pytest.param(coco, "annotations/instances_all.json", JSON, {}, id="coco"),
        pytest.param(yolo, "labels/a.txt", TEXT, {"data.yaml": YAML}, id="yolo texts"),
        pytest.param(yolo, "labels/a.txt", TEXT, {}, id="yolo texts without names"),
        pytest.param(yolo, "data.yaml", YAML, {"labels/a.txt": TEXT}, id="yolo names"),
    ],
)
@given(edits=EDITS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes(
    layout: Any,
    name: str,
    content: bytes,
    others: dict[str, bytes],
    edits: list[tuple[int, int, bytes]],
    tmp_path: Path,
) -> None:
    for place, written in {name: edited(content, edits), **others}.items():
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).write_bytes(written)
    (tmp_path / "images").mkdir(exist_ok=True)
    for picture in ("a.jpg", "b.jpg"):
        (tmp_path / "images" / picture).write_bytes(b"")
    try:
        annotations = layout.read(tmp_path)
    except DataError as error:
        assert "\n" not in str(error)
        return
    for part in annotations.splits.values():
        assert all(0 <= box.label < len(annotations.classes) for item in part for box in item.boxes)
        assert all(item.path.resolve().is_relative_to(tmp_path.resolve()) for item in part)
