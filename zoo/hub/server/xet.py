"""The two binary forms that Xet clients upload: xorbs and shards. Every length and count in them is a stranger's."""

import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from zoo.hub.server.http import HttpError

MAX_XORB = 68 * 1024 * 1024  # as it is sent, and unpacked
MAX_SHARD = 64 * 1024 * 1024
MAX_CHUNK = 128 * 1024
_MAX_CHUNKS = 8 * 1024  # of a xorb, as clients know it
MAX_TERMS = 128 * 1024  # of a shard; of 512 KiB each, as clients cut at the worst, they are 64 GiB
_CHUNK_HEAD = 8
_FOOTER = b"XETBLOB"
_RECORD = 48
_LAST = b"\xff" * 32
_HAS_VERIFICATION = 1 << 31
_HAS_SHA256 = 1 << 30


class Term(NamedTuple):
    """A run of a xorb's chunks, first to last exclusive, and how many bytes they are."""

    hash: str
    first: int
    last: int
    size: int


@dataclass(frozen=True)
class ShardFile:
    """A file as a client has cut it up."""

    sha256: str
    terms: tuple[Term, ...]

    @property
    def size(self) -> int:
        """Return the file's length."""
        return sum(term.size for term in self.terms)


class Unpacker:
    """Write a xorb's chunks plain to a file while the xorb comes.

    Every method raises HttpError 400 where a chunk is broken, 413 beyond what a xorb may hold.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.lengths = array("I")
        self._file = file
        self._size = 0
        self._rest = bytearray()

    def write(self, parts: Iterable[bytes]) -> None:
        """Take more of the xorb in."""
        for part in parts:
            self._rest += part
        start = 0
        while (end := self._end_of_chunk(start)) is not None:
            stored, scheme, length = _chunk_head(self._rest, start)
            self._size += length
            if len(self.lengths) >= _MAX_CHUNKS or self._size > MAX_XORB:
                raise HttpError(413, f"A xorb has at most {_MAX_CHUNKS:,} chunks and {MAX_XORB:,} bytes")
            self._file.write(chunk_content(bytes(self._rest[end - stored : end]), scheme, length))
            self.lengths.append(length)
            start = end
        del self._rest[:start]

    def _end_of_chunk(self, start: int) -> int | None:
        """Return where the chunk that starts here ends; None when it is not there yet, or is none but the footer."""
        if len(self._rest) < start + _CHUNK_HEAD or self._rest.startswith(_FOOTER, start):
            return None
        end = start + _CHUNK_HEAD + _chunk_head(self._rest, start)[0]
        return end if end <= len(self._rest) else None

    def finish(self) -> None:
        """Make sure that nothing is missing."""
        if self._rest and not self._rest.startswith(_FOOTER):
            raise HttpError(400, "The xorb ends within a chunk")


def _chunk_head(xorb: bytearray, start: int) -> tuple[int, int, int]:
    """Return how many bytes a chunk has as stored, how they are packed, and how many they give."""
    version, scheme = xorb[start], xorb[start + 4]
    stored = int.from_bytes(xorb[start + 1 : start + 4], "little")
    length = int.from_bytes(xorb[start + 5 : start + 8], "little")
    if version != 0 or scheme > 2 or not 0 < length <= MAX_CHUNK or not 0 < stored <= 2 * MAX_CHUNK:
        raise HttpError(400, "The xorb has a chunk that is too long, empty or packed in an unknown way")
    return stored, scheme, length


def chunk_content(stored: bytes, scheme: int, length: int) -> bytes:
    """Return a chunk unpacked, never more than its head says. Raise HttpError 400 where that is wrong."""
    import lz4.frame

    content = stored
    if scheme:
        decompressor = lz4.frame.LZ4FrameDecompressor()
        try:
            content = decompressor.decompress(stored, max_length=length + 1)
        except RuntimeError:
            raise HttpError(400, "The xorb has a chunk that is no LZ4 frame") from None
    if len(content) != length:
        raise HttpError(400, "The xorb has a chunk of another length than it says")
    return _ungrouped(content) if scheme == 2 else content


def _ungrouped(content: bytes) -> bytes:
    """Undo the grouping of every fourth byte."""
    result = bytearray(len(content))
    start = 0
    for place in range(4):
        count = len(range(place, len(content), 4))
        result[place::4] = content[start : start + count]
        start += count
    return bytes(result)


def read_shard(file: BinaryIO) -> list[ShardFile]:
    """Return the files of a shard. Raise HttpError 400 where it is broken, 413 where it has too many runs of chunks."""
    file.seek(0)
    _records(file, 1)
    files: list[ShardFile] = []
    names: dict[bytes, str] = {}
    left = MAX_TERMS
    while (head := _records(file, 1))[:32] != _LAST:
        flags, count = struct.unpack_from("<II", head, 32)
        left -= max(count, 1)
        if left < 0:
            raise HttpError(413, f"The shard has more than {MAX_TERMS:,} files and runs of chunks")
        terms = tuple(
            Term(names.get(raw) or names.setdefault(raw, hash_text(raw)), first, last, size)
            for raw, size, first, last in struct.iter_unpack("<32s4xIII", _records(file, count))
        )
        _records(file, count if flags & _HAS_VERIFICATION else 0)
        if not flags & _HAS_SHA256:
            raise HttpError(400, "The shard names a file without its sha256")
        files.append(ShardFile(hash_text(_records(file, 1)[:32]), terms))
    return files


def hash_text(raw: bytes) -> str:
    """Return a hash as Xet writes it: every eight bytes are one number, lowest byte first."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def _records(file: BinaryIO, count: int) -> bytes:
    records = file.read(count * _RECORD)
    if len(records) != count * _RECORD:
        raise HttpError(400, "The shard ends too early")
    return records
