"""Write the tokens of texts in one row, on all processors; what was killed goes on with what is there."""

import itertools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from zoo.data.ahead import ahead
from zoo.data.images.pictures import processors
from zoo.data.text.dataset import TextSplit
from zoo.errors import DataError, UsageError, ZooError
from zoo.files import sync_folder, write_file
from zoo.weights.tokenizer import Tokenizer

_TEXTS_AT_ONCE = 4096
_MOST_PIECES_AT_ONCE = 8
"""So many million bytes are told at once at the most, on as many processors; three times as many are in memory."""
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
    kind, several, whole = kind_of(tokenizer), len(split) > 1, isinstance(split.texts, Sequence)
    end = tokenizer.needed("end") if several else None
    done = _progress(path)
    pieces, num_bytes, begins, since = done.pieces, done.num_bytes, done.begins, 0

    starts = begins

    def told(some: Sequence[tuple[str, bool]]) -> tuple[Sequence[tuple[str, bool]], list[Any]]:
        nonlocal starts
        offsets = starts or any(ends for _, ends in some[:-1])  # which take longer, and tell of first tokens alone
        starts = some[-1][1]
        return some, tokenizer.encode([text for text, _ in some], special=whole and several, offsets=offsets)

    at_once = _TEXTS_AT_ONCE if whole else min(processors(), _MOST_PIECES_AT_ONCE)
    remaining = itertools.islice(split.pieces(), pieces, None)
    with open(path, "r+b" if done.size else "wb") as out:
        out.truncate(done.size)
        out.seek(done.size)
        for some, encoded in ahead(told, _groups(remaining, at_once)):
            for (text, ends), encoding in zip(some, encoded, strict=True):
                ids = encoding.ids
                if end is not None and ends and ids[-1:] != [end]:
                    ids.append(end)
                np.array(ids, kind).tofile(out)
                size = len(text.encode())
                num_bytes += size - (_first_bytes(text, encoding.offsets) if begins else 0)
                begins, since = ends, since + size
            pieces += len(some)
            if since >= _KEPT_EVERY:
                since = 0
                _flush(out)
                kept = _Progress(pieces, out.tell(), num_bytes, begins)
                write_file(path.with_suffix(".progress"), msgspec.json.encode(kept))
        if not out.tell():
            raise DataError(f"the {path.stem} split of {source} is empty; give more text")
        _flush(out)
    write_file(path.with_suffix(".bytes"), str(num_bytes).encode())


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
