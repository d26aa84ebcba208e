"""The head of a GGUF file: metadata and where its tensors lie, read within bounds and believed in nothing.

Every count, length and offset is compared with what is left of the file before anything is made of it.
"""

import array
import math
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import zoo

MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAX_HEAD = 64 << 20
_MAX_KEYS = 4096
_MAX_TENSORS = 20_000
_MAX_STRINGS = 2_000_000
_MAX_NAME = 256
_MAX_AXES = 4
_ALIGNMENT = "general.alignment"
_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The types of metadata by their numbers in a file, as `struct` calls them."""


class Kind(NamedTuple):
    """One type of tensors: its number in a file, and how many numbers lie in how many bytes."""

    number: int
    block: int
    size: int


KINDS = {
    "F32": Kind(0, 1, 4),
    "F16": Kind(1, 1, 2),
    "Q4_0": Kind(2, 32, 18),
    "Q4_1": Kind(3, 32, 20),
    "Q5_0": Kind(6, 32, 22),
    "Q5_1": Kind(7, 32, 24),
    "Q8_0": Kind(8, 32, 34),
    "Q4_K": Kind(12, 256, 144),
    "Q6_K": Kind(14, 256, 210),
    "BF16": Kind(30, 1, 2),
}
"""The types that are read, by llama.cpp's names."""


class Place(NamedTuple):
    """One tensor: its type by llama.cpp's name, its shape in torch's order, and its bytes in the file."""

    kind: str
    shape: tuple[int, ...]
    start: int
    size: int


@dataclass(frozen=True)
class Head:
    """What a file says before its tensors: arrays of numbers are `array.array`s, of strings tuples."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, Place]


def broken(path: Path, why: str) -> zoo.IntegrityError:
    """Return the error that says what is wrong with a file."""
    return zoo.IntegrityError(f"{path} {why}; get a fresh copy")


def read_head(path: Path) -> Head:
    """Read the head of a GGUF file. Raise IntegrityError for one that is broken, or of a type that is not read."""
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        return _Reader(path, file, size).head()


class _Reader:
    """Reads from a file's beginning, at most so many bytes and strings."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path, self.file, self.size = path, file, size
        self.place = 0
        self.strings = 0

    def head(self) -> Head:
        if self._take(4, "its magic number") != MAGIC:
            raise broken(self.path, "is no GGUF file")
        version = self._number("I")
        if version not in _VERSIONS:
            swapped = int.from_bytes(version.to_bytes(4, "little"), "big") in _VERSIONS
            what = "is a big-endian GGUF file" if swapped else f"is of GGUF version {version}"
            raise zoo.IntegrityError(f"{self.path} {what}, which is not read; get one of version 3, little-endian")
        count = self._count(self._number("Q"), _MAX_TENSORS, "tensors")
        keys = self._count(self._number("Q"), _MAX_KEYS, "keys of metadata")
        metadata: dict[str, Any] = {}
        for _ in range(keys):
            key = self._name("key")
            if key in metadata:
                raise broken(self.path, f"has the key {key!r} twice")
            metadata[key] = self._value(self._number("I"), key)
        named: dict[str, tuple[str, tuple[int, ...], int]] = {}
        for _ in range(count):
            name = self._name("tensor")
            if name in named:
                raise broken(self.path, f"has the tensor {name!r} twice")
            named[name] = self._described(name)
        return Head(metadata, self._placed(named, self._alignment(metadata)))

    def _described(self, name: str) -> tuple[str, tuple[int, ...], int]:
        axes = self._number("I")
        if not 1 <= axes <= _MAX_AXES:
            raise broken(self.path, f"has the tensor {name!r} with {axes} axes")
        shape = tuple(self._number("Q") for _ in range(axes))[::-1]
        number, offset = self._number("I"), self._number("Q")
        kind = next((kind for kind, known in KINDS.items() if known.number == number), None)
        if kind is None:
            raise zoo.IntegrityError(
                f"{self.path} has {name!r} in the type of number {number}, which is not read; get a file in one of "
                f"{', '.join(KINDS)}"
            )
        if 0 in shape or math.prod(shape) > 8 * self.size or shape[-1] % KINDS[kind].block:
            raise broken(self.path, f"has the tensor {name!r} in a shape that its type {kind} cannot have here")
        return kind, shape, offset

    def _placed(self, named: Mapping[str, tuple[str, tuple[int, ...], int]], alignment: int) -> dict[str, Place]:
        data = self.place + -self.place % alignment
        found: dict[str, Place] = {}
        end = data
        for name, (kind, shape, offset) in sorted(named.items(), key=lambda item: item[1][2]):
            size = math.prod(shape) // KINDS[kind].block * KINDS[kind].size
            if offset % alignment or data + offset < end or data + offset + size > self.size:
                raise broken(self.path, f"has the tensor {name!r} outside the file, or in another's place")
            end = data + offset + size
            found[name] = Place(kind, shape, data + offset, size)
        return {name: found[name] for name in named}

    def _alignment(self, metadata: Mapping[str, Any]) -> int:
        said = metadata.get(_ALIGNMENT, 32)
        if type(said) is not int or not 8 <= said <= 65_536 or said & (said - 1):
            raise broken(self.path, f"has a {_ALIGNMENT} that is no power of two from 8 to 65,536")
        return said

    def _value(self, kind: int, key: str) -> Any:
        if kind == _STRING:
            return self._text(_MAX_HEAD, key)
        if kind == _ARRAY:
            return self._array(key)
        return self._number(self._form(kind, key))

    def _array(self, key: str) -> Any:
        kind, length = self._number("I"), self._number("Q")
        if kind == _STRING:
            self._count(length, _MAX_STRINGS - self.strings, f"strings in {key!r}", each=8)
            self.strings += length
            return self._texts(length, key)
        form = self._form(kind, key)
        size = struct.calcsize(form)
        self._count(length, _MAX_HEAD, f"numbers in {key!r}", each=size)
        found = array.array("B" if form == "?" else form, self._take(length * size, key))
        if sys.byteorder == "big":
            found.byteswap()
        return found

    def _texts(self, count: int, key: str) -> tuple[str, ...]:
        """Return so many strings; a vocabulary has a hundred thousand."""
        read, left, found = self.file.read, min(self.size, _MAX_HEAD) - self.place, list[str]()
        try:
            for _ in range(count):
                length = int.from_bytes(read(8), "little")
                if (left := left - 8 - length) < 0:
                    raise broken(self.path, f"ends within {key}, or has a head of more than {_MAX_HEAD >> 20} MiB")
                found.append(read(length).decode())
        except UnicodeDecodeError:
            raise broken(self.path, f"has {key} in something other than UTF-8") from None
        self.place = min(self.size, _MAX_HEAD) - left
        return tuple(found)

    def _form(self, kind: int, key: str) -> str:
        if kind not in _NUMBERS:
            raise broken(self.path, f"has {key!r} in the type of number {kind}, which metadata do not have")
        return _NUMBERS[kind]

    def _number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self._take(struct.calcsize(f"<{form}"), "a number"))[0]

    def _name(self, what: str) -> str:
        name = self._text(_MAX_NAME, f"the name of a {what}")
        if not name.isprintable() or not name.isascii() or not name:
            raise broken(self.path, f"has a {what} whose name cannot be printed")
        return name

    def _text(self, most: int, what: str) -> str:
        length = self._number("Q")
        if length > most:
            raise broken(self.path, f"has {length:,} bytes for {what}, more than there may be")
        try:
            return self._take(length, what).decode()
        except UnicodeDecodeError:
            raise broken(self.path, f"has {what} in something other than UTF-8") from None

    def _count(self, said: int, most: int, what: str, each: int = 1) -> int:
        if said > most or said * each > self.size - self.place:
            raise broken(self.path, f"announces {said:,} {what}, more than it can hold")
        return said

    def _take(self, count: int, what: str) -> bytes:
        if count > self.size - self.place or self.place + count > _MAX_HEAD:
            raise broken(self.path, f"ends within {what}, or has a head of more than {_MAX_HEAD >> 20} MiB")
        content = self.file.read(count)
        if len(content) != count:
            raise broken(self.path, f"ends within {what}")
        self.place += count
        return content
