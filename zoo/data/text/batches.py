"""Batches of tokens: windows of a stream, or rows padded to the longest of those that lie together."""

from collections.abc import Iterator
from typing import Protocol, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.ahead import ahead
from zoo.data.arrays import Labels
from zoo.data.order import BatchOptions, SampleOrder, bucketed
from zoo.data.ragged import Numbers, Ragged
from zoo.seeds import generator

IGNORED = -100
"""A target that no loss looks at, as torch's cross-entropy has it."""


class _Stream(Protocol):
    """All tokens in a row, as `TokenStream` has them."""

    @property
    def tokens(self) -> Numbers: ...
    @property
    def length(self) -> int: ...
    @property
    def end(self) -> int | None: ...
    @property
    def num_bytes(self) -> int: ...
    def __len__(self) -> int: ...


class _Rows(Protocol):
    """A row of tokens for each text, as `TokenRows` has them."""

    @property
    def ids(self) -> Ragged: ...
    @property
    def pad(self) -> int: ...
    @property
    def segments(self) -> Ragged | None: ...
    @property
    def labels(self) -> Labels | None: ...
    @property
    def target_ids(self) -> Ragged | None: ...
    @property
    def references(self) -> Ragged | None: ...
    @property
    def prompts(self) -> NDArray[np.int64] | None: ...
    def __len__(self) -> int: ...


class WindowBatches:
    """Cut a stream into windows of its `length`, one after the other and over the ends of texts: none is padded.

    Batches have `input_ids` and `targets`, the next token of each, both int64 of shape (batch, length), `num_bytes`,
    how many bytes of text a window is on average, and `index`, the places of the windows. Where there are several texts
    `attention_mask` numbers them in each window, and a token that ends one has no target. In training the windows of
    each epoch begin elsewhere. They are read from the memory map a few batches ahead, and cross to a GPU from pinned
    memory.
    """

    def __init__(self, stream: _Stream, *, device: torch.device, **options: Unpack[BatchOptions]) -> None:
        self._stream = stream
        self._seed, self._moves = options["seed"], options["shuffle"]
        # the last token is a target alone, and a window less leaves room to move
        self._count = len(stream) - (self._moves and len(stream) > 1)
        self._order = SampleOrder(self._count, **options)
        self.batch_size = self._order.batch_size
        self.num_samples = self._order.num_samples
        self._bytes_a_window = stream.num_bytes * stream.length / (len(stream.tokens) - 1)
        self._device = device

    def __len__(self) -> int:
        return len(self._order)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch from position `start` on."""
        stream = self._stream
        first = 0
        if self._count < len(stream):
            first = int(torch.randint(stream.length, (), generator=generator(self._seed, "windows", epoch)))
        cut = np.lib.stride_tricks.sliding_window_view(stream.tokens[first:], stream.length + 1)
        windows = cut[:: stream.length]
        indices = self._order.indices(epoch)

        def read(index: Tensor) -> dict[str, Tensor]:
            # as int32: torch knows no arithmetic on its unsigned types, and int64 would take twice as long to cross
            return _pinned({"windows": torch.from_numpy(windows[index.numpy()].astype(np.int32)), "index": index}, self)

        for batch in ahead(read, [indices[share] for share in self._order.shares(start)]):
            ids = batch["windows"].to(self._device, non_blocking=True).long()
            index = batch["index"].to(self._device, non_blocking=True)
            num_bytes = torch.full((len(ids),), self._bytes_a_window, device=self._device)
            yield {**_inputs_and_targets(ids, stream.end), "num_bytes": num_bytes, "index": index}

    @property
    def device(self) -> torch.device:
        """Where the batches go."""
        return self._device


class RowBatches:
    """Give out texts in batches, padded to the longest of each; those of like length lie together.

    Batches have `input_ids` and `attention_mask` (batch, tokens), 1 for text and 0 for padding, what the rows have
    besides (`token_type_ids`, `labels`, `target_ids` with `target_mask`, `prompt_lengths`, `references` with
    `reference_lengths`), and `index`.
    """

    def __init__(self, rows: _Rows, *, device: torch.device, **options: Unpack[BatchOptions]) -> None:
        self._rows = rows
        self._order = SampleOrder(len(rows), **options)
        self._seed, self._shuffles = options["seed"], options["shuffle"]
        lengths = rows.ids.lengths + (0 if rows.target_ids is None else rows.target_ids.lengths)
        self._lengths = torch.from_numpy(lengths)
        self.batch_size = self._order.batch_size
        self.num_samples = self._order.num_samples
        self._device = device

    def __len__(self) -> int:
        return len(self._order)

    @property
    def device(self) -> torch.device:
        """Where the batches go."""
        return self._device

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch from position `start` on."""
        indices = self._order.indices(epoch)
        if self._shuffles:
            indices = bucketed(indices, self._lengths, order=self._order, seed=self._seed, epoch=epoch)
        else:
            indices = indices[self._lengths.argsort(stable=True)]
        for batch in ahead(self._read, [indices[share] for share in self._order.shares(start)]):
            yield {name: tensor.to(self._device, non_blocking=True) for name, tensor in batch.items()}

    def _read(self, index: Tensor) -> dict[str, Tensor]:
        rows, indices = self._rows, index.numpy()
        batch = _padded("input_ids", "attention_mask", rows.ids, indices, rows.pad)
        if rows.segments is not None:
            batch["token_type_ids"] = torch.from_numpy(rows.segments.padded(indices, 0)[0]).long()
        if rows.labels is not None:
            batch["labels"] = torch.from_numpy(rows.labels[indices])
        if rows.target_ids is not None:
            batch |= _padded("target_ids", "target_mask", rows.target_ids, indices, rows.pad)
        if rows.references is not None:
            found, lengths = rows.references.padded(indices, 0)
            batch |= {
                "references": torch.from_numpy(found.astype(np.uint8)),
                "reference_lengths": torch.from_numpy(lengths),
            }
        if rows.prompts is not None:
            batch["prompt_lengths"] = torch.from_numpy(rows.prompts[indices])
        return _pinned({**batch, "index": index}, self)


def _padded(
    ids: str, mask: str, rows: Ragged, indices: "np.ndarray[tuple[int], np.dtype[np.int64]]", pad: int
) -> dict[str, Tensor]:
    found, lengths = rows.padded(indices, pad)
    inside = np.arange(found.shape[1]) < lengths[:, None]
    return {ids: torch.from_numpy(found).long(), mask: torch.from_numpy(inside.astype(np.int64))}


def _inputs_and_targets(windows: Tensor, end: int | None) -> dict[str, Tensor]:
    """Return what is seen, and what follows it; of several texts none is seen, or foretold, from another."""
    inputs, targets = windows[:, :-1].contiguous(), windows[:, 1:].contiguous()
    if end is None:
        return {"input_ids": inputs, "targets": targets}
    ended = inputs == end
    numbers = 1 + ended.cumsum(1) - ended.long()
    return {"input_ids": inputs, "attention_mask": numbers, "targets": targets.masked_fill(ended, IGNORED)}


def _pinned(batch: dict[str, Tensor], owner: WindowBatches | RowBatches) -> dict[str, Tensor]:
    return {name: tensor.pin_memory() for name, tensor in batch.items()} if owner.device.type == "cuda" else batch
