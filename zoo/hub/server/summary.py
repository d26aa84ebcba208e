"""What lists and pages say of a repo, worked out once when its branch main moves."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Annotated, Any, BinaryIO

import msgspec

from zoo.hub.server import results, work
from zoo.hub.server.frontmatter import MAX_FRONT_MATTER, front_matter
from zoo.hub.server.trees import Entry

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_FIRST = ("thumbnail", "reconstruction", "sample", "generated", "detection", "segmentation", "confusion")
_MAX_HEADER = 8 * 1024 * 1024
_MAX_HEADERS = 32 * 1024 * 1024
_MAX_COUNT = 1 << 62
_MAX_DTYPES = 20

OpenBlob = Callable[[str], BinaryIO]
"""A function that opens a blob by its sha256."""


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """`largest` is the file whose download counts as one of the repo; `picture` stands for the repo in lists.

    `score` is the first number that was measured of it.
    """

    card: dict[str, Any] = {}
    tags: list[str] = []
    size: int = 0
    files: int = 0
    largest: str = ""
    picture: str = ""
    parameters: dict[str, int] = {}
    score: float | None = None

    def text(self, key: str) -> str | None:
        """Return a word of the card."""
        value = self.card.get(key)
        return value if isinstance(value, str) else None


encode_summary = msgspec.json.Encoder().encode
decode_summary = msgspec.json.Decoder(Summary).decode


class Tensor(msgspec.Struct):
    """What is read of a tensor. The bounds belong to the type: nothing is computed with what is out of them.

    `__metadata__` is an object of texts, and so one of these too.
    """

    dtype: Annotated[str, msgspec.Meta(max_length=20)] = ""
    shape: Annotated[list[Annotated[int, msgspec.Meta(ge=0, lt=_MAX_COUNT)]], msgspec.Meta(max_length=64)] | str = ""


_decode_header = msgspec.json.Decoder(dict[str, Tensor]).decode


def summarise(open_blob: OpenBlob, files: Mapping[str, Entry]) -> Summary:
    """Look at a tree's card, pictures and weights."""
    card: dict[str, Any] = {}
    if (readme := files.get("README.md")) is not None:
        with open_blob(readme.sha256) as file:
            card = front_matter(file.read(MAX_FRONT_MATTER).decode("utf-8", "replace"))
    pictures = sorted((path for path in files if path.lower().endswith(PICTURES)), key=rank_picture)
    return Summary(
        card=card,
        tags=_tags(card),
        size=sum(entry.size for entry in files.values()),
        files=len(files),
        largest=max(files, key=lambda path: (files[path].size, path), default=""),
        picture=next(iter(pictures), ""),
        parameters=_parameters(open_blob, files),
        score=_score(open_blob, card, files),
    )


def _score(open_blob: OpenBlob, card: Mapping[str, Any], files: Mapping[str, Entry]) -> float | None:
    def read(sha256: str, size: int) -> bytes:
        with open_blob(sha256) as file:
            return file.read(size)

    prefix = f"{results.FOLDER}/"
    entries = [entry for path, entry in files.items() if path.startswith(prefix) and path.count("/") == 1]
    return results.first_number(chain(results.of_files(read, entries), results.of_card(card)))


def rank_picture(path: str) -> tuple[int, int, str]:
    """Return a key that sorts pictures: those that show best what a model does come first."""
    name = path.rpartition("/")[2].lower()
    place = next((number for number, word in enumerate(_FIRST) if name.startswith(word)), len(_FIRST))
    return place, path.count("/"), path


def _tags(card: Mapping[str, Any]) -> list[str]:
    tags: list[str] = []
    for key in ("tags", "library_name", "pipeline_tag", "task_categories", "language", "datasets", "license"):
        listed = card.get(key)
        prefix = {"license": "license:", "datasets": "dataset:", "task_categories": "task_categories:"}.get(key, "")
        for value in listed if isinstance(listed, list) else [listed]:
            if isinstance(value, str | int | float) and 0 < len(str(value)) <= 100:
                tags.append(f"{prefix}{value}")
    return list(dict.fromkeys(tags))[:200]


def _parameters(open_blob: OpenBlob, files: Mapping[str, Entry]) -> dict[str, int]:
    """Return how many numbers of each type the safetensors at the root hold; nothing where a header cannot be read."""
    total: dict[str, int] = {}
    for header in _headers(open_blob, files, _MAX_HEADERS):
        try:
            counts = _count(header)
        except (ValueError, RecursionError):
            return {}
        for dtype, count in counts.items():
            total[dtype] = total.get(dtype, 0) + count
        if len(total) > _MAX_DTYPES or any(count >= _MAX_COUNT for count in total.values()):
            return {}
    return total


def read_tensors(open_blob: OpenBlob, files: Mapping[str, Entry], limit: int) -> dict[str, Tensor]:
    """Return type and shape of the tensors at a tree's root, by name.

    Raise ValueError where a header is broken, or all of them are larger than the limit.
    """
    found: dict[str, Tensor] = {}
    for header in _headers(open_blob, files, limit):
        if not header:
            raise ValueError("too large")
        for name, tensor in _decode_header(header).items():
            if name != "__metadata__":
                if not isinstance(tensor.shape, list) or not tensor.dtype:
                    raise ValueError("no tensor")
                found[name] = tensor
    return found


def _headers(open_blob: OpenBlob, files: Mapping[str, Entry], left: int) -> Iterator[bytes]:
    """Yield the headers of the safetensors at a tree's root; an empty one in place of what is too large."""
    for path, entry in files.items():
        if entry.folder or "/" in path or not path.endswith(".safetensors") or path == "selftest.safetensors":
            continue
        work.check()
        header = _read_header(open_blob, entry, min(_MAX_HEADER, left))
        left -= len(header)
        yield header


def _read_header(open_blob: OpenBlob, entry: Entry, limit: int) -> bytes:
    with open_blob(entry.sha256) as file:
        length = int.from_bytes(file.read(8), "little")
        return file.read(length) if length <= min(limit, entry.size) else b""


def _count(header: bytes) -> dict[str, int]:
    """Return a header's numbers by type. Raise ValueError for one that is broken, or larger than anything."""
    counts: dict[str, int] = {}
    for name, tensor in _decode_header(header).items():
        if name == "__metadata__":
            continue
        if not isinstance(tensor.shape, list) or not tensor.dtype:
            raise ValueError("no tensor")
        count = counts.get(tensor.dtype, 0)
        counts[tensor.dtype] = count + _product(tensor.shape)
        if counts[tensor.dtype] >= _MAX_COUNT or len(counts) > _MAX_DTYPES:
            raise ValueError("too large")
    return counts


def _product(shape: list[int]) -> int:
    if 0 in shape:
        return 0
    number = 1
    for side in shape:
        if (number := number * side) >= _MAX_COUNT:
            raise ValueError("too large")
    return number
