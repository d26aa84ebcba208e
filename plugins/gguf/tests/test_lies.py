"""Headers that lie about sizes, counts, offsets, lengths and alignment: each is refused in one line.

ZOO_MUTATIONS says how many files are made at random; 20,000 take minutes.
"""

import os
import random
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from zoo_gguf.container import open_file

import zoo
from plugins.gguf.tests.made import save

COUNT = int(os.environ.get("ZOO_MUTATIONS", "100"))
MEMORY = 24 << 20


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def key(name: bytes, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: bytes = b"t", shape: tuple[int, ...] = (8,), kind: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def whole(
    keys: list[bytes],
    tensors: list[bytes],
    *,
    magic: bytes = b"GGUF",
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    said = counts or (len(tensors), len(keys))
    content = magic + struct.pack("<IQQ", version, *said) + b"".join(keys) + b"".join(tensors)
    return content + bytes(-len(content) % 32 + 64)


LIES = {
    "no magic number": (whole([], [], magic=b"GGML"), "is no GGUF file"),
    "version 1": (whole([], [], version=1), "is of GGUF version 1, which is not read"),
    "big-endian": (whole([], [], version=0x03000000), "is a big-endian GGUF file, which is not read"),
    "nothing": (b"", "ends within its magic number"),
    "many tensors": (whole([], [], counts=(2**63, 0)), "announces 9,223,372,036,854,775,808 tensors"),
    "many keys": (whole([], [], counts=(0, 4000)), "announces 4,000 keys of metadata"),
    "a long key": (whole([struct.pack("<Q", 2**60)], []), "bytes for the name of a key, more than there may be"),
    "a long text": (whole([key(b"a", 8, struct.pack("<Q", 2**62))], []), "bytes for a, more than there may be"),
    "a text beyond the end": (whole([key(b"a", 8, struct.pack("<Q", 9999))], []), "ends within a"),
    "a text of no UTF-8": (whole([key(b"a", 8, text(b"\xff\xfe"))], []), "has a in something other than UTF-8"),
    "strings of no UTF-8": (
        whole([key(b"a", 9, struct.pack("<IQ", 8, 1) + text(b"\xff"))], []),
        "has a in something other than UTF-8",
    ),
    "a key that cannot be printed": (whole([key(b"\x1b[2J", 8, text(b""))], []), "a key whose name cannot be printed"),
    "a key twice": (whole([key(b"a", 8, text(b""))] * 2, []), "has the key 'a' twice"),
    "an unknown type": (whole([key(b"a", 99, b"")], []), "type of number 99, which metadata do not have"),
    "an array of arrays": (whole([key(b"a", 9, struct.pack("<IQ", 9, 1))], []), "type of number 9, which metadata"),
    "a long array": (whole([key(b"a", 9, struct.pack("<IQ", 0, 2**40))], []), "numbers in 'a', more than it can hold"),
    "many strings": (whole([key(b"a", 9, struct.pack("<IQ", 8, 2**33))], []), "strings in 'a', more than it can hold"),
    "strings beyond the end": (whole([key(b"a", 9, struct.pack("<IQQ", 8, 1, 2**63))], []), "ends within a"),
    "alignment of 24": (whole([key(b"general.alignment", 4, struct.pack("<I", 24))], []), "no power of two"),
    "alignment of 0": (whole([key(b"general.alignment", 4, struct.pack("<I", 0))], []), "no power of two"),
    "alignment as text": (whole([key(b"general.alignment", 8, text(b"32"))], []), "no power of two"),
    "nine axes": (whole([], [tensor(shape=(1,) * 9)]), "'t' with 9 axes"),
    "no axes": (whole([], [tensor(shape=())]), "'t' with 0 axes"),
    "an endless shape": (whole([], [tensor(shape=(2**62, 2**62))]), "in a shape that its type F32 cannot have"),
    "no rows": (whole([], [tensor(shape=(8, 0))]), "in a shape that its type F32 cannot have"),
    "half a block": (whole([], [tensor(shape=(8,), kind=8)]), "in a shape that its type Q8_0 cannot have"),
    "an unknown type of tensors": (whole([], [tensor(kind=16)]), "'t' in the type of number 16, which is not read"),
    "a tensor beyond the end": (whole([], [tensor(offset=2**40)]), "'t' outside the file"),
    "a tensor that is too long": (whole([], [tensor(shape=(64,))]), "'t' outside the file"),
    "a tensor between": (whole([], [tensor(offset=4)]), "'t' outside the file, or in another's place"),
    "two in one place": (whole([], [tensor(), tensor(b"u")]), "outside the file, or in another's place"),
    "a tensor twice": (whole([], [tensor(), tensor()]), "has the tensor 't' twice"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_gets_one_line(tmp_path: Path, lie: str) -> None:
    content, message = LIES[lie]
    path = tmp_path / "a.gguf"
    path.write_bytes(content)
    with pytest.raises(zoo.IntegrityError) as refused:
        open_file(path)
    assert message in str(refused.value) and "\n" not in str(refused.value) and str(path) in str(refused.value)


def replaced(name: str, changed: Callable[[Any], Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda metadata: {**metadata, name: changed(metadata[name])}


TOKENIZERS: dict[str, tuple[Any, str]] = {
    "a token twice": (replaced("tokenizer.ggml.tokens", lambda tokens: (tokens[1], *tokens[1:])), "a token twice"),
    "tokens as a text": (replaced("tokenizer.ggml.tokens", str), "tokens that are no list of strings"),
    "few types": (replaced("tokenizer.ggml.token_type", lambda types: types[1:]), "another number of types"),
    "no merges": (replaced("tokenizer.ggml.merges", lambda _: None), "no merges"),
    "a merge of nothing": (
        replaced("tokenizer.ggml.merges", lambda _: ("xx yyy",)),
        "the merge 'xx yyy' of or into no token",
    ),
    "an end beyond the tokens": (
        replaced("tokenizer.ggml.eos_token_id", lambda _: 2**31),
        "the eos_token_id of no token",
    ),
}


@pytest.mark.parametrize("lie", TOKENIZERS)
def test_a_tokenizer_that_contradicts_itself_is_refused(tmp_path: Path, lie: str) -> None:
    from zoo_gguf.tokenizer import tokenizer_files

    change, message = TOKENIZERS[lie]
    out = zoo.export(save(tmp_path / "w", "gpt2"), to="gguf", out=tmp_path / "a.gguf")
    with pytest.raises(zoo.IntegrityError, match=message):
        tokenizer_files(change(dict(open_file(out).head.metadata)), str(out))


def mutated(content: bytes, head: int, chance: random.Random) -> bytes:
    """Return a file with one thing done to its head."""
    changed, place = bytearray(content), chance.randrange(head)
    match chance.randrange(5):
        case 0:
            del changed[chance.randrange(len(changed)) :]
        case 1:
            for _ in range(chance.randrange(1, 20)):
                changed[chance.randrange(head)] = chance.randrange(256)
        case 2:
            changed[place : place + 8] = chance.choice([0, 1, 1 << 31, 1 << 62, len(changed)]).to_bytes(8, "little")
        case 3:
            other, length = chance.randrange(head), chance.randrange(1, 64)
            changed[place : place + length] = changed[other : other + length]
        case 4:
            changed[place:place] = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 32)))
    return bytes(changed)


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    path = zoo.export(save(tmp_path / "w", "llama"), to="gguf-q8_0", out=tmp_path / "a.gguf")
    content, head = path.read_bytes(), min(place.start for place in open_file(path).head.tensors.values())
    read = 0
    tracemalloc.start()
    for seed in range(COUNT):
        path.write_bytes(mutated(content, head, random.Random(seed)))
        try:
            found = open_file(path)
            assert found.files is not None
            zoo.describe(path)
            if seed % 10 == 0:
                zoo.load(path)
            read += 1
        except zoo.ZooError as error:
            assert "\n" not in str(error), (seed, error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < read < COUNT
    assert peak < MEMORY
