"""Write the tokens of texts in one row, on all processors; what was killed goes on with what is there."""

import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from zoo.data.ahead import ahead
from zoo.data.images.pictures import processors
from zoo.data.text.dataset import TextSplit
from zoo.errors import DataError, UsageError, ZooError
from zoo.files import sync_folder, write_file
from zoo.weights.tokenizer import Tokenizer

_TEXTS_AT_ONCE = 4096
_MOST_PIECES_AT_ONCE = 8
"""So many million bytes are told at once at the most, on as many processors."""
_KEPT_EVERY = 16 * 1024 * 1024
"""After so many bytes of text, what is written is kept for a process that comes after."""


class _Progress(msgspec.Struct, frozen=True):
    """What of a split is on disk: pieces of text, bytes of tokens; bytes that are foretold; whether a text begins."""

    pieces: int = 0
    size: int = 0
    num_bytes: int = 0
    begins: bool = True


def write_streams(splits: Mapping[str, TextSplit], tokenizer: Tokenizer, folder: Path, source: str) -> None:
    """Write a folder with the tokens of each split, each of several texts ended, and how many bytes are foretold.

    Those are all but the bytes of each text's first token, unless a special one stands before it. A folder beside it
    keeps what is done: killed at any moment, the same call goes on there.
    """
    partial = folder.with_name(f"{folder.name}.partial")
    partial.mkdir(exist_ok=True)
    try:
        for name, split in splits.items():
            if not (partial / f"{name}.bytes").exists():
                _write(split, tokenizer, partial / f"{name}.bin", source)
    except ZooError:  # it would come again
        shutil.rmtree(partial)
        raise
    for path in partial.iterdir():
        if path.suffix not in (".bin", ".bytes"):  # what a kill left, too
            path.unlink()
    sync_folder(partial)
    os.replace(partial, folder)
    sync_folder(folder.parent)


def kind_of(tokenizer: Tokenizer) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type that holds every id."""
    largest = tokenizer.num_tokens - 1
    if largest > np.iinfo(np.uint32).max:
        raise UsageError(f"a tokenizer of {largest:,} tokens is too large")
    return next(kind for kind in (np.uint8, np.uint16, np.uint32) if largest <= np.iinfo(kind).max)


def _write(split: TextSplit, tokenizer: Tokenizer, path: Path, source: str) -> None:
    """Write the tokens of a split. Texts that are at hand as a whole get what the tokenizer puts around them."""
    several, whole = len(split) > 1, isinstance(split.texts, Sequence)
    done = _progress(path)
    tell = _Teller(tokenizer, tokenizer.needed("end") if several else None, whole and several, done.begins)
    pieces, num_bytes, since = done.pieces, done.num_bytes, 0
    at_once = _TEXTS_AT_ONCE if whole else min(processors(), _MOST_PIECES_AT_ONCE)
    remaining = itertools.islice(split.pieces(), pieces, None)
    with open(path, "r+b" if done.size else "wb") as out:
        out.truncate(done.size)
        out.seek(done.size)
        for told in ahead(tell, _groups(remaining, at_once)):
            told.tokens.tofile(out)
            pieces, num_bytes, since = pieces + told.pieces, num_bytes + told.num_bytes, since + told.size
            if since >= _KEPT_EVERY:
                since = 0
                _flush(out)
                kept = _Progress(pieces, out.tell(), num_bytes, told.ends)
                write_file(path.with_suffix(".progress"), msgspec.json.encode(kept))
        if not out.tell():
            raise DataError(f"the {path.stem} split of {source} is empty; give more text")
        _flush(out)
    write_file(path.with_suffix(".bytes"), str(num_bytes).encode())


class _Told(NamedTuple):
    """Some pieces of text in tokens: how many, of how many bytes, how many are foretold, whether a text ends here."""

    tokens: NDArray[Any]
    pieces: int
    size: int
    num_bytes: int
    ends: bool


class _Teller:
    """Tells pieces of texts in tokens, one group after the other; what a library's encoding holds goes at once."""

    def __init__(self, tokenizer: Tokenizer, end: int | None, special: bool, begins: bool) -> None:
        self.tokenizer, self.end, self.special, self.begins = tokenizer, end, special, begins
        self.kind = kind_of(tokenizer)

    def __call__(self, some: Sequence[tuple[str, bool]]) -> _Told:
        offsets = self.begins or any(ends for _, ends in some[:-1])  # they take longer, and tell of first tokens alone
        encoded = self.tokenizer.encode([text for text, _ in some], special=self.special, offsets=offsets)
        found, size, unforetold = [], 0, 0
        for (text, ends), encoding in zip(some, encoded, strict=True):
            ids = encoding.ids
            if self.end is not None and ends and ids[-1:] != [self.end]:
                ids.append(self.end)
            found.append(np.array(ids, self.kind))
            size += len(text.encode())
            unforetold += _first_bytes(text, encoding.offsets) if self.begins else 0
            self.begins = ends
        return _Told(np.concatenate(found), len(some), size, size - unforetold, self.begins)


def _flush(out: Any) -> None:
    out.flush()
    os.fsync(out.fileno())


def _progress(path: Path) -> _Progress:
    """Return what is on disk; nothing where that is not what was written down."""
    try:
        found = msgspec.json.decode(path.with_suffix(".progress").read_bytes(), type=_Progress)
        return found if path.stat().st_size >= found.size else _Progress()
    except (FileNotFoundError, msgspec.MsgspecError):
        return _Progress()


def _groups(pieces: Iterator[tuple[str, bool]], count: int) -> Iterator[list[tuple[str, bool]]]:
    while some := list(itertools.islice(pieces, count)):
        yield some


def _first_bytes(text: str, offsets: Sequence[tuple[int, int]]) -> int:
    """Return how many bytes of a text its first token is, with what the tokenizer leaves out before it."""
    if not offsets or offsets[0][0] == offsets[0][1]:
        return 0
    before, character = text[: offsets[0][0]], text[slice(*offsets[0])]
    return len(before.encode()) + len(character.encode()) // list(offsets).count(offsets[0])
