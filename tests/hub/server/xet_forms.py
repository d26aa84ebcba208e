"""Xorbs and shards as a client writes them, or as a liar does."""

import struct

XORB = "ab" * 32


def chunk(content: bytes, scheme: int = 0, stored: bytes | None = None, length: int | None = None) -> bytes:
    stored = content if stored is None else stored
    length = len(content) if length is None else length
    return b"\0" + len(stored).to_bytes(3, "little") + bytes([scheme]) + length.to_bytes(3, "little") + stored


def raw(text: str) -> bytes:
    return b"".join(int(text[place : place + 16], 16).to_bytes(8, "little") for place in range(0, 64, 16))


def shard(sha256: str, terms: list[tuple[str, int, int, int]], with_sha256: bool = True) -> bytes:
    """Return a shard of one file; a term is xorb, first, last, bytes."""
    parts = [bytes(48), raw("cd" * 32) + struct.pack("<IIQ", with_sha256 << 30, len(terms), 0)]
    parts += [raw(xorb) + struct.pack("<IIII", 0, size, first, last) for xorb, first, last, size in terms]
    return b"".join([*parts, *([raw(sha256) + bytes(16)] if with_sha256 else []), b"\xff" * 32 + bytes(16)])
