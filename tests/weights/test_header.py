"""A safetensors header is read within bounds, and only when the whole file is what the header says."""

import json
import os
import struct
import subprocess
import sys
import tracemalloc
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


BROKEN: dict[str, tuple[object, bytes, str]] = {
    "026_overlap": ({"a": tensor(0, 4), "b": tensor(2, 6)}, b"123456", "hole or an overlap"),
    "027_hole": ({"a": tensor(0, 4), "b": tensor(8, 12)}, b"123456789012", "hole or an overlap"),
    "027_trailing_bytes": ({"a": tensor()}, b"1234PK\x03\x04", "header describes 4"),
    "028_begin_after_end": ({"a": tensor(4, 0)}, b"1234", "from byte 4 to byte 0"),
    "028_offset_that_is_a_boolean": ({"a": {**tensor(), "data_offsets": [False, 4]}}, b"1234", "from byte False"),
    "029_shape_that_wraps_to_zero": ({"a": tensor(0, 0, shape=(2**32, 2**32))}, b"", "does not fill"),
    "029_shape_beyond_64_bits": ({"a": tensor(shape=(2**64,))}, b"1234", "impossible shape"),
    "029_negative_shape": ({"a": tensor(shape=(-1,))}, b"1234", "impossible shape"),
    "029_a_thousand_dimensions": ({"a": tensor(shape=(1,) * 1000)}, b"1234", "impossible shape"),
    "030_unknown_dtype": ({"a": tensor(dtype="F99")}, b"1234", "'a' of unknown dtype 'F99'"),
    "033_metadata_that_is_not_text": ({"__metadata__": {"format": 1}, "a": tensor()}, b"1234", "metadata"),
    "tensor_without_a_shape": ({"a": {"dtype": "F32"}}, b"1234", "describes tensor 'a' wrongly"),
    "size_and_shape_disagree": ({"a": tensor(end=8)}, b"12345678", "does not fill its 8 bytes"),
    "025_not_an_object": (b"[]", b"", "not a safetensors file"),
    "025_first_byte": (b' {"a": 1}', b"", "not a safetensors file"),
    "025_not_utf8": (b'{"\xff": 1}', b"", "not UTF-8"),
    "025_not_json": (b"{nonsense}", b"", "not JSON"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_025_to_033_broken_headers(tmp_path: Path, case: str) -> None:
    header, body, why = BROKEN[case]
    with pytest.raises(IntegrityError, match=why):
        read_header(file(tmp_path, header, body))


@pytest.mark.parametrize("size", [0, 7])
def test_022_too_few_bytes(tmp_path: Path, size: int) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\0" * size)
    with pytest.raises(IntegrityError, match=f"has {size} bytes, too few"):
        read_header(tmp_path / "model.safetensors")


@pytest.mark.parametrize("length", [2**63, 2**64 - 1, 100_000_001])
def test_023_header_length_beyond_all_bounds_allocates_nothing(tmp_path: Path, length: int) -> None:
    path = file(tmp_path, {"a": tensor()}, b"1234", length=length)
    if length < 2**40:
        os.truncate(path, length + 100)  # sparse: the file really is that long
    tracemalloc.start()
    with pytest.raises(IntegrityError, match="announces a header"):
        read_header(path)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("length", [10**5, 80])
def test_024_header_longer_than_the_file(tmp_path: Path, length: int) -> None:
    with pytest.raises(IntegrityError, match="announces a header"):
        read_header(file(tmp_path, {"a": tensor()}, b"1234", length=length))


def test_024_header_shorter_than_it_is(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        read_header(file(tmp_path, {"a": tensor()}, b"1234", length=3))


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads its own memory as Linux shows it")
def test_032_millions_of_values_take_bounded_time_and_memory(tmp_path: Path) -> None:
    paths = []
    fillers = [b'"a":{},', b"[],", b"0,", b'"\\"\\"",']
    # far beyond the bounds, and as much as they let pass to the parser
    for place, (filler, count) in enumerate([(filler, 20_000_000) for filler in fillers] + [(b"[],", 1_499_990)]):
        folder = tmp_path / str(place)
        folder.mkdir()
        paths.append(str(file(folder, b'{"a":[' + filler * (count // len(filler)) + b"0]}")))
    code = """if True:
        import re, sys
        from pathlib import Path
        from zoo.errors import IntegrityError
        from zoo.weights.header import read_header
        for path in sys.argv[1:]:
            try:
                sys.exit(f"accepted {read_header(Path(path))}")
            except IntegrityError:
                pass
        print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])"""
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < 200_000  # kB


def test_032_more_tensors_than_allowed(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="lists 100,001 tensors"):
        read_header(file(tmp_path, {str(place): {} for place in range(100_001)}))


def test_034_a_name_is_a_key_and_never_a_path(tmp_path: Path) -> None:
    header = read_header(file(tmp_path, {"../../x": tensor()}, b"1234"))
    assert list(header) == ["../../x"]
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_040_pickle_under_another_name(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(3)}, tmp_path / "model.safetensors")
    with pytest.raises(IntegrityError):
        read_header(tmp_path / "model.safetensors")


def test_duplicate_tensor_name(tmp_path: Path) -> None:
    text = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}'
    with pytest.raises(IntegrityError, match="'a' twice"):
        read_header(file(tmp_path, text, b"1"))


def test_a_folder_under_the_name(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").mkdir()
    with pytest.raises(IntegrityError, match="is a folder"):
        read_header(tmp_path / "model.safetensors")


@given(content=st.binary(max_size=200))
def test_random_bytes_are_refused(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("random") / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        read_header(path)
