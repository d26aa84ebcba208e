"""Read what a page asks: one line of JSON, then the bytes of the files that it names."""

import re
from pathlib import Path
from typing import Any, BinaryIO

import zoo
from zoo_try.fields import LONGEST, MOST_FILES, read_values
from zoo_try.ways import Way

MOST_BYTES = 64 * 1024**2
"""Of a whole question."""
_LINE = 8 * LONGEST + 65_536
_PIECE = 1024**2
_LONGEST_NAME = 80


def read_question(stream: BinaryIO, length: int, way: Way, folder: Path) -> dict[str, Any]:
    """Return the values for the fields of a way, files as paths in `folder`. Raise ZooError for what they cannot be."""
    line = stream.readline(min(_LINE, length))
    if not line.endswith(b"\n"):
        raise zoo.UsageError("the question does not begin with a line of JSON that is short enough; give less text")
    said = zoo.parse_json(line, "the question", max_bytes=_LINE)
    values, listed = said.get("values"), said.get("files")
    if not isinstance(values, dict) or not isinstance(listed, list) or not all(map(_is_file, listed)):
        raise zoo.UsageError("the question names no values and files; reload the page")
    field = next((field for field in way.fields if field.kind == "files"), None)
    if len(listed) > (MOST_FILES if field else 0):
        raise zoo.UsageError(f"{len(listed)} files were given; give at most {MOST_FILES if field else 0}")
    if len(line) + sum(item["bytes"] for item in listed) != length:
        raise zoo.UsageError("the question is not as long as it says; send it again")
    paths = []
    for place, item in enumerate(listed, 1):
        name = safe_name(item["name"])
        assert field is not None
        field.check_file(name)
        paths.append(_received(stream, item["bytes"], folder, name, place))
    return read_values(way.fields, values, paths)


def safe_name(name: str) -> str:
    """Return the name of a file as it can lie in a folder, and be printed."""
    return re.sub(r"[^\w.-]+", "_", re.split(r"[/\\]", name)[-1])[-_LONGEST_NAME:].lstrip(".-_") or "file"


def _received(stream: BinaryIO, size: int, folder: Path, name: str, place: int) -> Path:
    path = folder / name
    if path.exists():
        path = folder / f"{place}-{name}"
    with open(path, "xb") as file:
        while size:
            piece = stream.read(min(size, _PIECE))
            if not piece:
                raise zoo.UsageError(f"{name} ended too early; send it again")
            file.write(piece)
            size -= len(piece)
    return path


def _is_file(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("name"), str)
        and type(item.get("bytes")) is int
        and 0 <= item["bytes"] <= MOST_BYTES
    )
