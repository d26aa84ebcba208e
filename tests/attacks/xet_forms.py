"""What a client of Xet sends, made by hand: chunks, xorbs and shards."""

import struct


def chunk(content: bytes) -> bytes:
    """Return a chunk that is not packed."""
    return b"\0" + len(content).to_bytes(3, "little") + b"\0" + len(content).to_bytes(3, "little") + content


def shard(sha256: str, terms: list[tuple[str, int, int, int]]) -> bytes:
    """Return a shard of one file; a term is xorb, first, last, bytes."""
    parts = [bytes(48), _raw("cd" * 32) + struct.pack("<IIQ", 1 << 30, len(terms), 0)]
    parts += [_raw(xorb) + struct.pack("<IIII", 0, size, first, last) for xorb, first, last, size in terms]
    return b"".join([*parts, _raw(sha256) + bytes(16), b"\xff" * 32 + bytes(16)])


def _raw(text: str) -> bytes:
    return b"".join(int(text[place : place + 16], 16).to_bytes(8, "little") for place in range(0, 64, 16))
