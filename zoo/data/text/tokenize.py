"""Tell texts in tokens: rows for tasks that look at them one by one, a stream for those that learn language."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from filelock import FileLock

from zoo.data.origins import Origins, origins_kept
from zoo.data.ragged import Ragged
from zoo.data.text.copies import equal_texts
from zoo.data.text.dataset import TextDataset, TextSplit
from zoo.data.text.encoding import encoded_rows
from zoo.data.text.streams import kind_of, write_streams
from zoo.data.text.tokens import TokenDataset, TokenRows, TokenStream
from zoo.errors import DataError
from zoo.files import cache_folder, storage_errors
from zoo.specs.records import Target
from zoo.weights.tokenizer import TextInputs

_VERSION = "2"
_READ = "3"
"""Changes with how files become tokens, and what is told of them: what was kept under the same hashes is not taken."""


@dataclass(frozen=True)
class TokenLayout:
    """What a task makes of texts.

    `learns_from` is "tokens" for a stream, "labels" for rows, "written" for rows with what is to be written, in a row
    of its own, or behind what is read where the model `joins` the two: read, end, written, end.
    """

    learns_from: Target
    joins: bool = False
    max_target_tokens: int = 0

    @property
    def identity(self) -> str:
        """What fingerprints of data are made of: it stays as it is, since runs are made again by them."""
        target = "written" if self.learns_from == "target_text" else self.learns_from
        return f"Form(learns_from={target!r}, joins={self.joins!r}, max_written={self.max_target_tokens!r})"


def tokenize(dataset: TextDataset, inputs: TextInputs, form: TokenLayout) -> TokenDataset:
    """Return the data set in tokens. Raise DataError where it lacks what the task learns from."""
    _check(dataset, form)
    if form.learns_from == "tokens":
        splits: dict[str, TokenRows | TokenStream] = dict(_streams(dataset, inputs))
    else:
        splits = {name: _rows(split, inputs, form) for name, split in dataset.splits.items()}
    known = (_VERSION, dataset.fingerprint, inputs.tokenizer.identity, inputs.max_tokens)
    described = f"{repr(known)[:-1]}, {form.identity})"
    return TokenDataset(
        name=dataset.name,
        splits=splits,
        classes=dataset.classes if form.learns_from == "labels" else (),
        license=dataset.license,
        source=dataset.source,
        fingerprint=hashlib.sha256(described.encode()).hexdigest(),
    )


def _check(dataset: TextDataset, form: TokenLayout) -> None:
    for split in dataset.splits.values():
        if form.learns_from != "tokens" and not isinstance(split.texts, Sequence):
            classes = ", or for labels a folder a class: <class>/*.txt" if form.learns_from == "labels" else ""
            raise DataError(
                f"{dataset.source} is plain text, which has no {form.learns_from}; give a table, or a folder of tables"
                f"{classes}"
            )
        if form.learns_from == "labels" and split.labels is None:
            raise DataError(f"{dataset.source} has no labels; choose their column: --label NAME")
        if form.learns_from == "target_text" and split.target_text is None:
            raise DataError(f"{dataset.source} has no target texts; choose their column: --target NAME")


def _rows(split: TextSplit, inputs: TextInputs, form: TokenLayout) -> TokenRows:
    rows = _encoded(split, inputs, form)
    return replace(rows, origins=_origins(split)) if origins_kept() else rows


def _origins(split: TextSplit) -> Origins:
    texts = [{"text": text} for text in split.texts] if isinstance(split.texts, Sequence) else []
    return (
        texts if split.pairs is None else [{**one, "pair": pair} for one, pair in zip(texts, split.pairs, strict=True)]
    )


def _encoded(split: TextSplit, inputs: TextInputs, form: TokenLayout) -> TokenRows:
    if not isinstance(split.texts, Sequence):
        raise DataError("this task needs rows, not plain text; give a table, or a folder of tables")
    tokenizer, kind = inputs.tokenizer, kind_of(inputs.tokenizer)
    pad = tokenizer.role("pad") or 0
    groups = equal_texts(split.texts, split.pairs)
    if form.learns_from == "labels":
        ids, segments = encoded_rows(split.texts, split.pairs, inputs)
        return TokenRows(Ragged.of(ids, kind), pad, _ragged(segments, np.uint8), split.labels, groups=groups)
    end = tokenizer.needed("end")
    texts = split.target_text or ()
    references = Ragged.of([np.frombuffer(text.encode(), np.uint8) for text in texts], np.uint8)
    target_ids = [
        _ended(ids, end, form.max_target_tokens) for ids in encoded_rows(texts, None, inputs, form.max_target_tokens)[0]
    ]
    read = encoded_rows(split.texts, None, inputs)[0]
    if not form.joins:
        ids = [_ended(row, end, inputs.max_tokens) for row in read]
        written = Ragged.of(target_ids, kind)
        return TokenRows(Ragged.of(ids, kind), pad, target_ids=written, references=references, groups=groups)
    prompts = [_ended(row, end, inputs.max_tokens) for row in read]
    joined = [[*prompt, *target] for prompt, target in zip(prompts, target_ids, strict=True)]
    lengths = np.array([len(prompt) for prompt in prompts], np.int64)
    return TokenRows(Ragged.of(joined, kind), pad, references=references, prompts=lengths, groups=groups)


def _ended(ids: list[int], end: int, maximum: int) -> list[int]:
    """Return a text that ends with the token for it, within so many tokens."""
    bare = ids[:-1] if ids and ids[-1] == end else ids
    return [*bare[: maximum - 1], end]


def _ragged(rows: list[list[int]] | None, kind: Any) -> Ragged | None:
    return None if rows is None else Ragged.of(rows, kind)


def _streams(dataset: TextDataset, inputs: TextInputs) -> dict[str, TokenStream]:
    """Tokenise each split once into a memory map, kept under the hash of the data and of the tokenizer."""
    tokenizer = inputs.tokenizer
    known = (_VERSION, _READ, dataset.fingerprint, sorted(dataset.splits), tokenizer.identity)
    key = hashlib.sha256(repr(known).encode()).hexdigest()
    cached = cache_folder() / "tokens" / key
    with storage_errors(f"caching tokens in {cached}"):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{cached}.lock"):  # of several processes that start at once, one tokenises
            if not cached.is_dir():
                write_streams(dataset.splits, tokenizer, cached, dataset.source)
    kind = kind_of(tokenizer)
    return {
        name: TokenStream(
            np.memmap(cached / f"{name}.bin", kind, "r"),
            inputs.max_tokens,
            tokenizer.role("end") if len(split) > 1 else None,
            int((cached / f"{name}.bytes").read_text()),
        )
        for name, split in dataset.splits.items()
    }
