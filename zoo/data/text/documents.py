"""Plain text in files, *.txt and *.md: read in pieces, split by folders or by the bytes of each file."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.data.hashes import content_hashes
from zoo.data.splitting import SPLITS, scoring, with_test
from zoo.data.text.dataset import TextDataset, TextSplit
from zoo.data.text_files import decoded
from zoo.errors import DataError

SUFFIXES = (".txt", ".md")
_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Piece:
    """A part of a file, in bytes."""

    file: Path
    start: int
    stop: int


@dataclass(frozen=True)
class FileTexts:
    """Each part of a file is a text of its own."""

    parts: tuple[Piece, ...]

    def __len__(self) -> int:
        return sum(part.stop > part.start for part in self.parts)

    def pieces(self) -> Iterator[tuple[str, bool]]:
        """Yield whole lines, about a million bytes at once, and whether a text ends with them."""
        for part in self.parts:
            with open(part.file, "rb") as file:
                file.seek(part.start)
                while (left := part.stop - file.tell()) > 0:
                    at = file.tell()
                    block = file.read(min(left, _BYTES_AT_ONCE))
                    block += file.readline(left - len(block))
                    yield decoded(block, part.file, at=at), file.tell() == part.stop


def open_documents(path: Path, *, test_share: float = 0.1) -> TextDataset:
    """Open a text file, or a folder of them, in UTF-8.

    A folder that has `train` and `test` (or `valid`) in it, as folders or as files, gives these splits. Of anything
    else the last share of each file is to test on.
    """
    files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
    root = path.parent if path.is_file() else path
    if not files:
        raise DataError(f"no text in {path}; give a file, or a folder of files named *{' or *'.join(SUFFIXES)}")
    hashes = content_hashes(root, files)
    splits = _splits(root, files, test_share)
    digest = hashlib.sha256(b"documents")
    for split, parts in splits.items():
        for part in parts:
            digest.update(f"{split} {hashes[part.file]} {part.start} {part.stop}\n".encode())
    return TextDataset(
        name=path.resolve().stem,
        splits={split: TextSplit(FileTexts(tuple(parts))) for split, parts in splits.items()},
        source=str(path),
        fingerprint=digest.hexdigest(),
    )


def _splits(root: Path, files: Sequence[Path], test_share: float) -> dict[str, list[Piece]]:
    whole = [Piece(file, 0, file.stat().st_size) for file in files]
    named: dict[str, list[Piece]] = {}
    for piece in whole:
        if split := SPLITS.get(piece.file.relative_to(root).parts[0].partition(".")[0]):
            named.setdefault(split, []).append(piece)
    if ("train" in named and len(named) > 1) or (scoring() and named):
        return with_test(named)
    if scoring():
        return {"test": whole}
    cuts = [_cut(piece, 1 - test_share) for piece in whole]
    return {
        "train": [Piece(piece.file, 0, cut) for piece, cut in zip(whole, cuts, strict=True)],
        "test": [Piece(piece.file, cut, piece.stop) for piece, cut in zip(whole, cuts, strict=True)],
    }


def _cut(piece: Piece, share: float) -> int:
    """Return the place of the first whole character behind this share of the bytes."""
    cut = int(piece.stop * share)
    with open(piece.file, "rb") as file:
        file.seek(cut)
        continued = file.read(3)
    return cut + next((place for place, byte in enumerate(continued) if byte & 0xC0 != 0x80), len(continued))
