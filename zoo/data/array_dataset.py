"""A data set of any arrays: what a modality needs that has neither images nor tokens."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from zoo.data.array_batches import ArrayBatches, Columns
from zoo.data.drawing import Places, draw_held_out, draw_labelled, held_out_fingerprint, placed_labels
from zoo.data.order import BatchOptions
from zoo.data.ragged import Ragged
from zoo.data.splitting import needed_splits, scoring
from zoo.errors import DataError
from zoo.specs.records import Target


@dataclass(frozen=True)
class ArraySplit:
    """Samples as arrays by name, each with a row for every sample. The rest is that of `zoo.ArrayBatches`."""

    columns: Columns
    collate: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None
    fill: int = 0
    by_length: str | None = None

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def batches(self, *, device: torch.device, **options: Unpack[BatchOptions]) -> ArrayBatches:
        """Return what gives out batches."""
        return ArrayBatches(
            self.columns, device=device, collate=self.collate, fill=self.fill, by_length=self.by_length, **options
        )

    def evaluation_batch_size(self, batch_size: int) -> int:
        """Return how many samples are scored at once: as many as are trained on."""
        return batch_size

    def take(self, index: Places) -> "ArraySplit":
        """Return the samples at these places, in this order."""
        taken = {
            name: column.take(index) if isinstance(column, Ragged) else column[index]
            for name, column in self.columns.items()
        }
        return replace(self, columns=taken)


@dataclass(frozen=True, kw_only=True)
class ArrayDataset:
    """Splits named train and test (and validation), and the names of classes where there are any.

    What a task learns from is a column of that name, such as `labels`: int64 (samples,), the place of each sample's
    class. The fingerprint is the sha256 over classes, names and arrays.
    """

    name: str
    splits: Mapping[str, ArraySplit]
    source: str
    classes: tuple[str, ...] = ()
    license: str = "unknown"
    fingerprint: str = ""

    def __post_init__(self) -> None:
        for name in needed_splits():
            if name not in self.splits or not len(self.splits[name]):
                raise DataError(f"{self.source} has nothing to {name} on; it needs samples in train and in test")
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", _fingerprint(self.splits, self.classes))

    @property
    def labelled(self) -> bool:
        """Whether every split has labels."""
        return all("labels" in split.columns for split in self.splits.values())

    def check(self, target: Target) -> None:
        """Raise DataError unless every split has a column of this name; of labels, unless there are two or more."""
        if any(target not in split.columns for split in self.splits.values()):
            raise DataError(f"{self.source} has no {target}; give data that have, or choose another --task")
        if target == "labels" and len(self.classes) < 2 and not scoring():
            raise DataError(
                f"{self.source} has only one class ({', '.join(self.classes)}); a classifier needs two or more"
            )

    def subset(self, labels: int, seed: int) -> "ArrayDataset":
        """Keep that many training samples, drawn by the seed; of each class as evenly as can be."""
        train = self.splits["train"]
        known = train.columns.get("labels")
        single = known if isinstance(known, np.ndarray) and known.ndim == 1 else None
        index = draw_labelled(single, len(train), self.classes, labels, seed)
        fingerprint = hashlib.sha256(f"{self.fingerprint} {labels} labels, seed {seed}".encode()).hexdigest()
        return replace(self, splits={**self.splits, "train": train.take(index)}, fingerprint=fingerprint)

    def with_classes(self, classes: tuple[str, ...]) -> "ArrayDataset":
        """Return the data set with its classes at the places that they have among others."""
        places = np.array([classes.index(name) for name in self.classes], np.int64)

        def placed(split: ArraySplit) -> ArraySplit:
            labels = split.columns.get("labels")
            if not isinstance(labels, np.ndarray):
                return split
            return replace(split, columns={**split.columns, "labels": placed_labels(labels, places, len(classes))})

        splits = {name: placed(split) for name, split in self.splits.items()}
        return replace(self, splits=splits, classes=classes)

    def hold_out(self, share: float, seed: int) -> "ArrayDataset":
        """Move a share of the training split, drawn by the seed, and of each class, to a split `validation`."""
        train = self.splits["train"]
        found = train.columns.get("labels")
        labels = found if isinstance(found, np.ndarray) else None
        stays, held = draw_held_out(len(train), share, seed, labels)
        splits = {**self.splits, "train": train.take(stays), "validation": train.take(held)}
        return replace(self, splits=splits, fingerprint=held_out_fingerprint(self.fingerprint, labels))


def _fingerprint(splits: Mapping[str, ArraySplit], classes: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(classes).encode())
    for split in sorted(splits):
        for name, column in sorted(splits[split].columns.items()):
            for part in (column.values, column.starts) if isinstance(column, Ragged) else (column,):
                digest.update(f"{split} {name} {part.dtype} {part.shape}".encode())
                digest.update(np.ascontiguousarray(part).data)
    return digest.hexdigest()
