"""A safetensors header is read within bounds, and only when the whole file is what the header says."""

import json
import struct
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from zoo.errors import IntegrityError
from zoo.weights.header import TensorHeader, read_header


def file(folder: Path, header: object, body: bytes = b"", length: int | None = None) -> Path:
    text = json.dumps(header).encode() if not isinstance(header, bytes) else header
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + body)
    return path


def tensor(begin: int = 0, end: int = 4, dtype: str = "F32", shape: tuple[int, ...] = (1,)) -> dict[str, object]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def test_reads_what_safetensors_writes(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save({"a": torch.zeros(2, 3), "b": torch.zeros(5, dtype=torch.int64)}, metadata={"format": "pt"}))
    assert read_header(path) == {"a": TensorHeader("F32", (2, 3)), "b": TensorHeader("I64", (5,))}


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({"a": tensor(end=8)}, b"12345678"),
        ({"a": tensor(0, 4), "b": tensor(2, 6)}, b"123456"),
        ({"a": tensor(0, 4), "b": tensor(8, 12)}, b"123456789012"),
        ({"a": tensor()}, b"1234PK"),
        ({"a": tensor(4, 0)}, b"1234"),
        ({"a": tensor(dtype="F99")}, b"1234"),
        ({"a": tensor(shape=(2**62, 8))}, b"1234"),
        ({"a": tensor(shape=(-1,))}, b"1234"),
        ({"a": {"dtype": "F32"}}, b"1234"),
        ({"__metadata__": {"format": 1}, "a": tensor()}, b"1234"),
        (b"[]", b""),
        (b"\xff\xfe", b""),
    ],
)
def test_broken_files(tmp_path: Path, header: object, body: bytes) -> None:
    with pytest.raises(IntegrityError):
        read_header(file(tmp_path, header, body))


@pytest.mark.parametrize("length", [2**63, 10**9, 3])
def test_header_length_that_lies(tmp_path: Path, length: int) -> None:
    with pytest.raises(IntegrityError):
        read_header(file(tmp_path, {"a": tensor()}, b"1234", length=length))


@given(content=st.binary(max_size=200))
def test_random_bytes_are_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("random") / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        read_header(path)
