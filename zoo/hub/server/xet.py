"""The two binary forms that Xet clients upload: xorbs and shards. Every length and count in them is a stranger's."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from zoo.hub.server.http import HttpError

MAX_XORB = 68 * 1024 * 1024  # as it is sent, and unpacked
MAX_SHARD = 64 * 1024 * 1024
MAX_CHUNK = 128 * 1024
_MAX_CHUNKS = 8 * 1024  # of a xorb, as clients know it
MAX_TERMS = 128 * 1024  # of a shard; of 512 KiB each, as clients cut at the worst, they are 64 GiB
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


def read_chunks(file: BinaryIO) -> Iterator[bytes]:
    """Yield a xorb's chunks unpacked. Raise HttpError 400 where one is broken, 413 beyond what a xorb may hold."""
    heads = list(read_chunk_heads(file))
    if sum(head.length for head in heads) > MAX_XORB:
        raise HttpError(413, f"The xorb unpacks to more than {MAX_XORB:,} bytes")
    for head in heads:
        yield chunk_content(file, head)


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
