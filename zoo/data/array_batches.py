"""Batches of any arrays: what a modality needs that has neither images nor tokens."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.ahead import ahead
from zoo.data.order import BatchOptions, SampleOrder, bucketed
from zoo.data.ragged import Ragged

Columns = Mapping[str, NDArray[Any] | Ragged]


class ArrayBatches:
    """Gather batches from arrays by name, a few ahead of the step that needs them.

    Batches have a tensor for each array, of its type, and `index`, the places of the samples. Rows of different lengths
    (`zoo.Ragged`) are padded with `fill` to the longest of the batch, their lengths beside them as `NAME_lengths`; with
    `by_length` naming such rows, those of like length lie together. `collate` makes of a batch on the CPU what the
    recipe wants. `options` are those of `zoo.BatchOptions`.
    """

    def __init__(
        self,
        columns: Columns,
        *,
        device: torch.device,
        collate: Callable[[dict[str, Tensor]], dict[str, Tensor]] | None = None,
        fill: int = 0,
        by_length: str | None = None,
        **options: Unpack[BatchOptions],
    ) -> None:
        self._columns = columns
        self._order = SampleOrder(len(next(iter(columns.values()))), **options)
        self._seed, self._shuffles = options["seed"], options["shuffle"]
        self._collate, self._fill, self._device = collate, fill, device
        sorted_by = None if by_length is None else columns[by_length]
        self._lengths = torch.from_numpy(sorted_by.lengths) if isinstance(sorted_by, Ragged) else None
        self.batch_size = self._order.batch_size
        self.num_samples = self._order.num_samples

    def __len__(self) -> int:
        return len(self._order)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch from position `start` on."""
        indices = self._order.indices(epoch)
        if self._lengths is not None and self._shuffles:
            indices = bucketed(indices, self._lengths, order=self._order, seed=self._seed, epoch=epoch)
        elif self._lengths is not None:
            indices = indices[self._lengths.argsort(stable=True)]
        for batch in ahead(self._read, [indices[share] for share in self._order.shares(start)]):
            yield {name: tensor.to(self._device, non_blocking=True) for name, tensor in batch.items()}

    def _read(self, index: Tensor) -> dict[str, Tensor]:
        indices = index.numpy()
        batch: dict[str, Tensor] = {}
        for name, column in self._columns.items():
            if isinstance(column, Ragged):
                rows, lengths = column.padded(indices, self._fill)
                batch |= {name: torch.from_numpy(rows), f"{name}_lengths": torch.from_numpy(lengths)}
            else:
                batch[name] = torch.from_numpy(np.ascontiguousarray(column[indices]))
        batch = self._collate(batch) if self._collate else batch
        batch["index"] = index
        return {name: tensor.pin_memory() for name, tensor in batch.items()} if self._pins else batch

    @property
    def _pins(self) -> bool:
        return self._device.type == "cuda"
