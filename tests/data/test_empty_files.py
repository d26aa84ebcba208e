"""A file of 0 bytes is called empty, whoever reads it, and never something else that is broken."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zoo.data.boxes.voc import _Reader
from zoo.data.images.idx import read_idx
from zoo.data.images.pictures import open_picture
from zoo.data.text.tables import read_table
from zoo.errors import ZooError
from zoo.strict_json import parse_json
from zoo.weights.kinds import tell_kind


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("picture.png", open_picture),
        ("train-images-idx3-ubyte", read_idx),
        ("train-images-idx3-ubyte.gz", read_idx),
        *((f"table{suffix}", read_table) for suffix in (".csv", ".tsv", ".json", ".jsonl", ".parquet")),
        ("instances.json", lambda path: parse_json(path.read_bytes(), str(path))),
        ("picture.xml", _Reader),
        *((f"weights{suffix}", tell_kind) for suffix in (".pth", ".npz", ".gguf", ".h5", ".onnx")),
    ],
)
def test_091_an_empty_file_is_called_so(name: str, read: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    with pytest.raises(ZooError, match=rf"{name}.* is .*empty"):
        read(path)
