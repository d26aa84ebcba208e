"""Batches of text: windows of a stream of tokens, each token with the next one as its target."""

from collections.abc import Iterator
from typing import Unpack

import numpy as np
import torch
from torch import Tensor

from zoo.data.ahead import ahead
from zoo.data.order import Dealing, Order
from zoo.data.text import Tokens
from zoo.errors import DataError


class PackedBatches:
    """Cut tokens into windows of `length`, one after the other and over the ends of texts, so that none is padded.

    Batches have `input_ids` and `targets`, the next token of each, both int64 of shape (batch, length), and `index`,
    the places of the windows. Windows are read from the memory map a few batches ahead, and cross to a GPU from pinned
    memory.
    """

    def __init__(
        self,
        tokens: Tokens,
        *,
        length: int,
        device: torch.device,
        **dealing: Unpack[Dealing],
    ) -> None:
        if len(tokens) <= length:
            raise DataError(f"{len(tokens):,} tokens make no window of {length:,} with its targets; give more text")
        # The last token is a target alone
        self._windows = np.lib.stride_tricks.sliding_window_view(tokens, length + 1)[::length]
        self._order = Order(len(self._windows), **dealing)
        self.batch_size = self._order.batch_size
        self.num_samples = self._order.num_samples
        self._device = device

    def __len__(self) -> int:
        return len(self._order)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch from position `start` on."""
        places = self._order.places(epoch)
        for batch in ahead(self._read, [places[share] for share in self._order.shares(start)]):
            windows = batch["windows"].to(self._device, non_blocking=True).long()
            index = batch["index"].to(self._device, non_blocking=True)
            yield {"input_ids": windows[:, :-1].contiguous(), "targets": windows[:, 1:].contiguous(), "index": index}

    def _read(self, index: Tensor) -> dict[str, Tensor]:
        # As int32: torch knows no arithmetic on its unsigned types, and int64 would take twice as long to cross
        windows = torch.from_numpy(self._windows[index.numpy()].astype(np.int32))
        batch = {"windows": windows, "index": index}
        return {name: tensor.pin_memory() for name, tensor in batch.items()} if self._device.type == "cuda" else batch
