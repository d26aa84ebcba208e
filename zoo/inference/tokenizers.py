"""Tokenizers at the shell: train one on files of text, write it, and show what one makes of a text."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.data.text.documents import SUFFIXES, FileTexts, Piece
from zoo.errors import DataError, NotFoundError, UsageError
from zoo.files import storage_errors, write_file
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.tokenizer import Tokenizer, read_tokenizer
from zoo.weights.tokenizer_training import make_tokenizer

_OWN_ROLES = ("pad", "unknown", "begin", "end", "mask")


def train_tokenizer(data: Sequence[Path], out: Path, *, kind: str, size: int, lower: bool, force: bool) -> Tokenizer:
    """Train a tokenizer of a kind on files of text, or all of those in folders, and write it to a JSON file."""
    if out.suffix != ".json":
        raise UsageError(f"{out} must end in .json")
    if out.exists() and not force:
        raise UsageError(f"{out} exists; choose another name, or replace it with --force")
    tokenizer = make_tokenizer(kind, texts_in(text_files(data)), size=size, lower=lower)
    with storage_errors(f"writing the tokenizer to {out}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        write_file(out, tokenizer.json.encode())
    return tokenizer


def find_tokenizer(source: str | Path, *, hub: str | Path | None = None) -> Tokenizer:
    """Return the tokenizer in a JSON file, or that of weights."""
    path = Path(source)
    return read_tokenizer(path if path.suffix == ".json" else find_weights(source, WeightsQuery(hub=hub)))


def described_tokenizer(tokenizer: Tokenizer) -> dict[str, Any]:
    """Say what a tokenizer is: its kind of model, how many tokens it has, and which of them mean something."""
    roles = {role: tokenizer.roles[role] for role in _OWN_ROLES if role in tokenizer.roles}
    return {
        "kind": type(tokenizer.inner.model).__name__,
        "tokens": tokenizer.num_tokens,
        **{role: f"{token} ({tokenizer.role(role)})" for role, token in roles.items()},
        "sha256": tokenizer.identity,
    }


def tokens_of(tokenizer: Tokenizer, text: str) -> list[dict[str, Any]]:
    """Return each token of a text: its id, itself, and what it stands for in the text."""
    found = tokenizer.inner.encode(text)
    return [
        {"id": token, "token": name, "text": text[start:stop]}
        for token, name, (start, stop) in zip(found.ids, found.tokens, found.offsets, strict=True)
    ]


def text_files(paths: Sequence[Path]) -> list[Path]:
    """Return files of text: those named, and of folders all .txt and .md in them, at any depth, sorted."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise DataError(f"no text in {path}; give .txt or .md files, or a folder of them")
        found += inside
    return found


def texts_in(files: Sequence[Path]) -> Iterator[str]:
    """Yield whole lines of files, about a million bytes at once. Raise DataError for what is not UTF-8."""
    for path in files:
        if not path.is_file():
            raise NotFoundError(f"no file {path}; give .txt or .md files, or a folder of them")
        for text, _ in FileTexts((Piece(path, 0, path.stat().st_size),)).pieces():
            yield text
