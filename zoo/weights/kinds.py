"""What files are that people take for weights, by how they begin or by their names, and what to do with them."""

import shlex
from pathlib import Path

from zoo.errors import IntegrityError
from zoo.weights.formats import format_of

PICKLED = (".pth", ".pt", ".bin", ".ckpt", ".th", ".tar", ".pkl", ".pickle")
"""How files end that torch.save wrote."""

_SAFE = ".safetensors"
_AGAIN = "download it again, with a token if it needs one, or with `zoo pull`"
_ELSEWHERE = "which is not read here; get the weights as safetensors"
_BEGINNINGS = {
    b"version https://git-lfs": "a Git-LFS pointer in the place of the weights; fetch them with `git lfs pull`, or "
    "with `zoo pull`",
    b"<!doctype": f"a web page and no weights; {_AGAIN}",
    b"<html": f"a web page and no weights; {_AGAIN}",
    b"<?xml": f"a page of XML and no weights; {_AGAIN}",
    b"gguf": f"a GGUF file of llama.cpp, {_ELSEWHERE}",
    b"\x89hdf": f"an HDF5 file of Keras, {_ELSEWHERE}",
}
_ENDINGS = {
    ".gguf": f"a GGUF file of llama.cpp, {_ELSEWHERE}",
    ".onnx": "a graph in ONNX, which is not read here; get the weights that it was exported from as safetensors",
    ".h5": f"an HDF5 file of Keras, {_ELSEWHERE}",
    ".keras": f"a file of Keras, {_ELSEWHERE}",
    ".msgpack": f"a file of Flax, {_ELSEWHERE}",
    ".tflite": f"a graph of TensorFlow Lite, {_ELSEWHERE}",
    ".pb": f"a graph of TensorFlow, {_ELSEWHERE}",
}
_READ = 32

ENDINGS = (_SAFE, *PICKLED, ".npz", *_ENDINGS)
"""How names end that can only be those of files of weights."""


def kind_of(path: Path) -> str | None:
    """Say what a file is other than safetensors, and what to do with it; None where nobody can tell."""
    with open(path, "rb") as file:
        start = file.read(_READ)
    if not start:
        return f"an empty file and no weights; {_AGAIN}"
    lower = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for beginning, what in _BEGINNINGS.items():
        if lower.startswith(beginning):
            return what
    if archive := archive_of(path):
        return f"{archive}, and is not loaded; convert it once: {_conversion(path)}"
    if start[8:9] == b"{" and start[4:8] == bytes(4) and path.suffix != _SAFE:
        return "safetensors by its bytes; rename it to end in .safetensors"
    if path.suffix in _ENDINGS:
        return _ENDINGS[path.suffix]
    if path.suffix in ENDINGS and len(start) >= 8 and all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in start):
        what = "JSON" if lower.startswith(b"{") else "a text"
        return f"{what} that begins {start[:20].decode('ascii')!r} and no weights; {_AGAIN}"
    return None


def archive_of(path: Path) -> str | None:
    """Say what a file is that can be converted; None for any other."""
    with open(path, "rb") as file:
        start = file.read(_READ)
    if start.startswith(b"PK\x03\x04"):
        return "an archive of NumPy" if path.suffix == ".npz" else "a zip file, as torch.save writes: it may run code"
    if start[:1] == b"\x80" and start[1:2] < b"\x06":
        return "a pickle, as torch.save wrote: it may run code"
    return None


def tell_kind(path: Path) -> None:
    """Raise IntegrityError for a file that is known to be something else, with what to do about it."""
    if what := kind_of(path):
        raise IntegrityError(f"{path} is {what}")


def told_of_folder(folder: Path) -> str | None:
    """Say what a folder without safetensors holds in their place, and what to do with it; None where nothing is."""
    files = [
        path for path in sorted(folder.glob("*")) if (path.suffix in ENDINGS or format_of(path)) and path.is_file()
    ]
    for path in sorted(files, key=lambda path: -path.stat().st_size):
        if format_of(path) is not None:
            return f"{path.name}; give that file itself"
        if what := kind_of(path):
            return f"{path.name}, {what}"
    return None


def _conversion(path: Path) -> str:
    out = path.with_suffix("") if path.suffix and path.suffix != _SAFE else path.with_name(f"{path.name}-converted")
    return shlex.join(["zoo", "convert", str(path), "--out", str(out)])
