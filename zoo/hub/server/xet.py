"""The two binary forms that Xet clients upload: xorbs and shards. Every length and count in them is a stranger's."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from zoo.hub.server.http import HttpError

MAX_XORB = 68 * 1024 * 1024
MAX_SHARD = 64 * 1024 * 1024
MAX_CHUNK = 128 * 1024
_MAX_CHUNKS = 64 * 1024
_RECORD = 48
_LAST = b"\xff" * 32
_HAS_VERIFICATION = 1 << 31
_HAS_SHA256 = 1 << 30


@dataclass(frozen=True)
class ChunkHead:
    """What stands before a chunk: where its bytes begin, how many they are, how they are packed, how many they give."""

    offset: int
    stored: int
    scheme: int
    length: int


@dataclass(frozen=True)
class Term:
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


def read_chunk_heads(file: BinaryIO) -> Iterator[ChunkHead]:
    """Yield the heads of a xorb's chunks. Raise HttpError 400 where one is broken."""
    offset = number = 0
    end = file.seek(0, 2)
    while offset < end:
        file.seek(offset)
        head = file.read(8)
        if head[:7] == b"XETBLOB":
            return
        if len(head) < 8 or head[0] != 0 or number >= _MAX_CHUNKS:
            raise HttpError(400, "The xorb has a broken chunk head")
        stored, length = int.from_bytes(head[1:4], "little"), int.from_bytes(head[5:8], "little")
        if not 0 < length <= MAX_CHUNK or not 0 < stored <= 2 * MAX_CHUNK or head[4] > 2 or offset + 8 + stored > end:
            raise HttpError(400, "The xorb has a chunk that is too long, empty or packed in an unknown way")
        yield ChunkHead(offset + 8, stored, head[4], length)
        offset += 8 + stored
        number += 1


def chunk_content(file: BinaryIO, head: ChunkHead) -> bytes:
    """Return a chunk unpacked, never more than its head says. Raise HttpError 400 where that is wrong."""
    import lz4.frame

    file.seek(head.offset)
    content = file.read(head.stored)
    if head.scheme:
        decompressor = lz4.frame.LZ4FrameDecompressor()
        try:
            content = decompressor.decompress(content, max_length=head.length + 1)
        except RuntimeError:
            raise HttpError(400, "The xorb has a chunk that is no LZ4 frame") from None
    if len(content) != head.length:
        raise HttpError(400, "The xorb has a chunk of another length than it says")
    return _ungrouped(content) if head.scheme == 2 else content


def _ungrouped(content: bytes) -> bytes:
    """Undo the grouping of every fourth byte."""
    result = bytearray(len(content))
    start = 0
    for place in range(4):
        count = len(range(place, len(content), 4))
        result[place::4] = content[start : start + count]
        start += count
    return bytes(result)


def read_shard(file: BinaryIO) -> Iterator[ShardFile]:
    """Yield the files of a shard. Raise HttpError 400 where it is broken or names a file without its sha256."""
    file.seek(0)
    _record(file)
    while (head := _record(file))[:32] != _LAST:
        flags, count = struct.unpack_from("<II", head, 32)
        terms = []
        for _ in range(count):
            term = _record(file)
            _, size, first, last = struct.unpack_from("<IIII", term, 32)
            terms.append(Term(hash_text(term[:32]), first, last, size))
        for _ in range(count if flags & _HAS_VERIFICATION else 0):
            _record(file)
        if not flags & _HAS_SHA256:
            raise HttpError(400, "The shard names a file without its sha256")
        yield ShardFile(hash_text(_record(file)[:32]), tuple(terms))


def hash_text(raw: bytes) -> str:
    """Return a hash as Xet writes it: every eight bytes are one number, lowest byte first."""
    return "".join(f"{word:016x}" for word in struct.unpack("<4Q", raw))


def _record(file: BinaryIO) -> bytes:
    record = file.read(_RECORD)
    if len(record) != _RECORD:
        raise HttpError(400, "The shard ends too early")
    return record
