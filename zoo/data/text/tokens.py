"""Texts as numbers of tokens: in rows, one for each text, or as one stream that is cut into windows."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.arrays import Labels
from zoo.data.drawing import Places, draw_held_out, draw_labelled, held_out_fingerprint, placed_labels
from zoo.data.order import BatchOptions
from zoo.data.origins import Origins
from zoo.data.ragged import Numbers, Ragged
from zoo.data.splitting import scoring
from zoo.data.text.batches import RowBatches, WindowBatches
from zoo.errors import DataError, UsageError
from zoo.specs.records import Target


@dataclass(frozen=True)
class TokenRows:
    """A row of tokens for each text.

    `segments` number the two texts of a pair. `labels` are as `TextSplit` has them. `written` are the tokens to write,
    and `references` the bytes of what they were made of; `prompts` are the lengths of what is read, where one row holds
    both. `pad` fills rows up. `groups` are equal for texts that are, which are not parted; None where all differ.
    `origins` are kept where they are asked for.
    """

    ids: Ragged
    pad: int
    segments: Ragged | None = None
    labels: Labels | None = None
    target_ids: Ragged | None = None
    references: Ragged | None = None
    prompts: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None
    origins: Origins | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self, *, device: torch.device, **options: Unpack[BatchOptions]) -> RowBatches:
        """Return what gives out batches."""
        return RowBatches(self, device=device, **options)

    def evaluation_batch_size(self, batch_size: int) -> int:
        """Return how many texts are scored at once: what a network says of each token takes much memory."""
        return batch_size

    def take(self, index: Places) -> "TokenRows":
        """Return the texts at these places."""
        return TokenRows(
            ids=self.ids.take(index),
            pad=self.pad,
            segments=self.segments and self.segments.take(index),
            labels=None if self.labels is None else self.labels[index],
            target_ids=self.target_ids and self.target_ids.take(index),
            references=self.references and self.references.take(index),
            prompts=None if self.prompts is None else self.prompts[index],
            groups=None if self.groups is None else self.groups[index],
        )


@dataclass(frozen=True)
class TokenStream:
    """All tokens in a row, for windows of `length`. `end` is the token that ends each text, None for one text alone.

    `num_bytes` is how many bytes of UTF-8 the tokens that are foretold were: all but the first of each text.
    """

    tokens: Numbers
    length: int
    end: int | None
    num_bytes: int

    def __post_init__(self) -> None:
        if len(self.tokens) <= self.length:
            raise DataError(
                f"{len(self.tokens):,} tokens are too few for a window of {self.length:,}; give more text, or "
                "use shorter windows: --set max_tokens=N"
            )

    def __len__(self) -> int:
        return (len(self.tokens) - 1) // self.length

    def batches(self, *, device: torch.device, **options: Unpack[BatchOptions]) -> WindowBatches:
        """Return what gives out batches."""
        return WindowBatches(self, device=device, **options)

    def evaluation_batch_size(self, batch_size: int) -> int:
        """Return how many windows are scored at once: what a network says of each token takes much memory."""
        return batch_size


@dataclass(frozen=True, kw_only=True)
class TokenDataset:
    """Splits named train and test (and validation) in tokens, class names, and the sha256 over all contents."""

    name: str
    splits: Mapping[str, TokenRows | TokenStream]
    classes: tuple[str, ...]
    license: str
    source: str
    fingerprint: str

    @property
    def labelled(self) -> bool:
        """Whether every split has labels."""
        return all(isinstance(split, TokenRows) and split.labels is not None for split in self.splits.values())

    def check(self, target: Target) -> None:
        """Raise DataError unless the data can be learnt from for a task that learns from this."""
        if target != "labels" or scoring():
            return
        if len(self.classes) < 2:
            raise DataError(
                f"{self.source} has only one class ({', '.join(self.classes)}); a classifier needs two or more"
            )

    def subset(self, labels: int, seed: int) -> "TokenDataset":
        """Keep that many training texts, drawn by the seed; of one class each, as evenly over them as can be."""
        train = self.splits["train"]
        if isinstance(train, TokenStream):
            raise UsageError("--labels needs labelled texts, and these have no labels; omit it")
        single = train.labels if train.labels is not None and train.labels.ndim == 1 else None
        index = draw_labelled(single, len(train), self.classes, labels, seed)
        fingerprint = hashlib.sha256(f"{self.fingerprint} {labels} labels, seed {seed}".encode()).hexdigest()
        return replace(self, splits={**self.splits, "train": train.take(index)}, fingerprint=fingerprint)

    def with_classes(self, classes: tuple[str, ...]) -> "TokenDataset":
        """Return the data set with its classes at the places that they have among others."""
        indices = np.array([classes.index(name) for name in self.classes], np.int64)
        splits = {
            name: replace(split, labels=placed_labels(split.labels, indices, len(classes)))
            if isinstance(split, TokenRows) and split.labels is not None
            else split
            for name, split in self.splits.items()
        }
        return replace(self, splits=splits, classes=classes)

    def hold_out(self, share: float, seed: int) -> "TokenDataset":
        """Move a share of the training split to a split `validation`: rows that the seed draws, or a stream's end.

        Of rows with classes the same share of each is held out, and equal texts stay together.
        """
        train = self.splits["train"]
        stays: TokenRows | TokenStream
        held: TokenRows | TokenStream
        if isinstance(train, TokenRows):
            indices, held_places = draw_held_out(len(train), share, seed, train.labels, train.groups)
            stays, held = train.take(indices), train.take(held_places)
        else:
            cut, num_bytes = round(len(train.tokens) * (1 - share)), round(train.num_bytes * (1 - share))
            stays = replace(train, tokens=train.tokens[:cut], num_bytes=num_bytes)
            held = replace(train, tokens=train.tokens[cut:], num_bytes=train.num_bytes - num_bytes)
        drawn_by = (train.labels, train.groups) if isinstance(train, TokenRows) else (None, None)
        splits = {**self.splits, "train": stays, "validation": held}
        return replace(self, splits=splits, fingerprint=held_out_fingerprint(self.fingerprint, *drawn_by))
