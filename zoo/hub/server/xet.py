"""The two binary forms that Xet clients upload: xorbs and shards. Every length and count in them is a stranger's."""

import struct
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, NamedTuple

from zoo.hub.server import work
from zoo.hub.server.http import HttpError

MAX_XORB = 68 * 1024 * 1024  # as it is sent, and unpacked
MAX_SHARD = 64 * 1024 * 1024
MAX_CHUNK = 128 * 1024
_MAX_CHUNKS = 8 * 1024  # of a xorb, as clients know it
MAX_TERMS = 128 * 1024  # of a shard; of 512 KiB each, as clients cut at the worst, they are 64 GiB
_CHUNK_HEAD = struct.Struct("<II")  # version, then how long as stored; how packed, then how long unpacked
_FOOTER = b"XETBLOB"
_AT_ONCE = 64  # chunks
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

    def __init__(self, file: IO[bytes]) -> None:
        self.lengths = array("I")
        self._file = file
        self._size = 0
        self._rest = b""

    def write(self, parts: Iterable[bytes]) -> None:
        """Take more of the xorb in. A chunk may have one byte: what is done for each is next to nothing."""
        xorb = b"".join((self._rest, *parts))
        start = 0
        contents: list[bytes] = []
        while len(xorb) - start >= _CHUNK_HEAD.size:
            left, right = _CHUNK_HEAD.unpack_from(xorb, start)
            begin, length, scheme = start + _CHUNK_HEAD.size, right >> 8, right & 0xFF
            end = begin + (left >> 8)
            if left & 0xFF or not 0 < length <= MAX_CHUNK or not begin < end <= begin + 2 * MAX_CHUNK:
                if xorb.startswith(_FOOTER, start):
                    break
                raise HttpError(400, "The xorb has a chunk that is too long, empty or of an unknown version")
            if end > len(xorb):
                break
            content = xorb[begin:end]
            contents.append(chunk_content(content, scheme, length) if scheme or end - begin != length else content)
            self.lengths.append(length)
            start = end
            if len(contents) == _AT_ONCE:
                self._write(contents)
                contents = []
        self._write(contents)
        self._rest = xorb[start:]

    def _write(self, contents: list[bytes]) -> None:
        work.check()
        content = b"".join(contents)
        self._size += len(content)
        if len(self.lengths) > _MAX_CHUNKS or self._size > MAX_XORB:
            raise HttpError(413, f"A xorb has at most {_MAX_CHUNKS:,} chunks and {MAX_XORB:,} bytes")
        self._file.write(content)

    def finish(self) -> None:
        """Make sure that nothing is missing."""
        if self._rest and not self._rest.startswith(_FOOTER):
            raise HttpError(400, "The xorb ends within a chunk")


def chunk_content(stored: bytes, scheme: int, length: int) -> bytes:
    """Return a chunk unpacked, never more than its head says. Raise HttpError 400 where that is wrong."""
    import lz4.frame

    if scheme > 2:
        raise HttpError(400, "The xorb has a chunk that is packed in an unknown way")
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


def read_shard(file: IO[bytes]) -> list[ShardFile]:
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
            for raw, size, first, last in work.checked(struct.iter_unpack("<32s4xIII", _records(file, count)))
        )
        _records(file, count if flags & _HAS_VERIFICATION else 0)
        if not flags & _HAS_SHA256:
            raise HttpError(400, "The shard names a file without its sha256")
        files.append(ShardFile(hash_text(_records(file, 1)[:32]), terms))
    return files


def hash_text(raw: bytes) -> str:
    """Return a hash as Xet writes it: every eight bytes are one number, lowest byte first."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def _records(file: IO[bytes], count: int) -> bytes:
    records = file.read(count * _RECORD)
    if len(records) != count * _RECORD:
        raise HttpError(400, "The shard ends too early")
    return records
