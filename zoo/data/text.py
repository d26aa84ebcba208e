"""Text as token ids: tokenised once into memory maps, kept under the hash of the files and of the tokenizer."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from zoo.data.hashes import content_hashes
from zoo.errors import DataError
from zoo.paths import cache_folder, new_folder, storage_errors

Tokens = NDArray[np.unsignedinteger[Any]]
_VERSION = "1"
_SUFFIXES = (".txt", ".md")
_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Tokenizer:
    """What turns text into token ids, all of them smaller than `num_tokens`.

    `identity` names all that the ids depend on: where it changes, text is tokenised again. `encode` gets whole lines,
    about a million characters at once. `end` is the id that is put after each file.
    """

    encode: Callable[[str], Sequence[int] | NDArray[Any]]
    identity: str
    num_tokens: int
    end: int | None = None


BYTE_TOKENIZER = Tokenizer(
    encode=lambda text: np.frombuffer(text.encode(), np.uint8), identity="bytes of UTF-8", num_tokens=256
)


@dataclass(frozen=True, kw_only=True)
class TextDataset:
    """The token ids of the splits train and test, how many there can be, and the sha256 over all contents."""

    name: str
    splits: Mapping[str, Tokens]
    num_tokens: int
    licence: str
    source: str
    fingerprint: str


@dataclass(frozen=True)
class _Piece:
    """A part of a file, in bytes."""

    file: Path
    start: int
    stop: int


def open_text(path: Path, tokenizer: Tokenizer, *, test_share: float = 0.1) -> TextDataset:
    """Open a text file, or a folder of them, in UTF-8.

    A folder that has `train` and `test` in it, as folders or as files, gives these splits. Of anything else the last
    share of each file is to test on.
    """
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES)
    root = path.parent if path.is_file() else path
    if not files:
        raise DataError(f"no text in {path}; give a file, or a folder of files named *{' or *'.join(_SUFFIXES)}")
    hashes = content_hashes(root, files)
    splits = _splits(root, files, test_share)
    form = (_VERSION, tokenizer.identity, tokenizer.num_tokens, tokenizer.end)
    digest = hashlib.sha256(repr(form).encode())
    for split, pieces in splits.items():
        for piece in pieces:
            digest.update(f"{split} {hashes[piece.file]} {piece.start} {piece.stop}\n".encode())
    cached = cache_folder() / "tokens" / digest.hexdigest()
    with storage_errors(f"caching tokens in {cached}"):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{cached}.lock"):  # of several processes that start at once, one tokenises
            if not cached.is_dir():
                with new_folder(cached) as temporary:
                    for split, pieces in splits.items():
                        _tokenise(pieces, tokenizer, temporary / f"{split}.bin")
    kind = _kind(tokenizer)
    return TextDataset(
        name=path.resolve().stem,
        splits={split: np.memmap(cached / f"{split}.bin", kind, "r") for split in splits},
        num_tokens=tokenizer.num_tokens,
        licence="unknown",
        source=str(path),
        fingerprint=digest.hexdigest(),
    )


def _splits(root: Path, files: Sequence[Path], test_share: float) -> dict[str, list[_Piece]]:
    whole = [_Piece(file, 0, file.stat().st_size) for file in files]
    named = {
        split: [piece for piece in whole if piece.file.relative_to(root).parts[0].partition(".")[0] == split]
        for split in ("train", "test")
    }
    if all(named.values()):
        return named
    cuts = [_cut(piece, 1 - test_share) for piece in whole]
    return {
        "train": [_Piece(piece.file, 0, cut) for piece, cut in zip(whole, cuts, strict=True)],
        "test": [_Piece(piece.file, cut, piece.stop) for piece, cut in zip(whole, cuts, strict=True)],
    }


def _cut(piece: _Piece, share: float) -> int:
    """Return the place of the first whole character behind this share of the bytes."""
    cut = int(piece.stop * share)
    with open(piece.file, "rb") as file:
        file.seek(cut)
        continued = file.read(3)
    return cut + next((place for place, byte in enumerate(continued) if byte & 0xC0 != 0x80), len(continued))


def _tokenise(pieces: Sequence[_Piece], tokenizer: Tokenizer, path: Path) -> None:
    """Write the token ids of the pieces, a million bytes of text being in memory at a time."""
    with open(path, "wb") as out:
        for piece in pieces:
            for text in _texts(piece):
                ids = np.asarray(tokenizer.encode(text), np.int64)
                if ids.size and not (0 <= ids.min() and ids.max() < tokenizer.num_tokens):
                    worst = int(ids.min() if ids.min() < 0 else ids.max())
                    raise DataError(
                        f"{tokenizer.identity} gave the id {worst} for {piece.file}, which is none of its "
                        f"{tokenizer.num_tokens:,} tokens; give it the right num_tokens"
                    )
                ids.astype(_kind(tokenizer)).tofile(out)
            if tokenizer.end is not None:
                np.array([tokenizer.end], _kind(tokenizer)).tofile(out)
        if not out.tell():
            raise DataError(f"the {path.stem} split of {pieces[0].file} is empty; give more text")


def _texts(piece: _Piece) -> Iterator[str]:
    with open(piece.file, "rb") as file:
        file.seek(piece.start)
        while (left := piece.stop - file.tell()) > 0:
            at = file.tell()
            block = file.read(min(left, _BYTES_AT_ONCE))
            block += file.readline(left - len(block))
            try:
                yield block.decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{piece.file} is not UTF-8 at byte {at + error.start:,}; convert it, for example with iconv"
                ) from None


def _kind(tokenizer: Tokenizer) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type that holds every id."""
    return next(kind for kind in (np.uint8, np.uint16, np.uint32) if tokenizer.num_tokens - 1 <= np.iinfo(kind).max)
