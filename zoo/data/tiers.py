"""Which way of giving out batches fits a split and a device."""

import math
from collections.abc import Callable
from functools import partial
from typing import Unpack

import torch

from zoo.data.batches import TensorBatches
from zoo.data.dataset import ImageDataset, ImageSplit
from zoo.data.memory import fits_in_memory
from zoo.data.order import Dealing
from zoo.data.pictures import processors
from zoo.data.streamed import StreamedBatches
from zoo.data.text.batches import RowBatches, WindowBatches
from zoo.data.text.tokens import TokenDataset, TokenRows, TokenStream
from zoo.data.undecoded import UndecodedImages

AnyBatches = TensorBatches | StreamedBatches | RowBatches | WindowBatches
AnySplit = ImageSplit | TokenRows | TokenStream
AnyDataset = ImageDataset | TokenDataset


def make_batches(
    split: AnySplit,
    *,
    device: torch.device,
    stream: bool | None = None,
    limit: int | None = None,
    workers: int | None = None,
    **dealing: Unpack[Dealing],
) -> AnyBatches:
    """Return the batches of a split; pictures whole on the device where that fits, and streamed to it where not.

    Both are the same to the bit. `stream` decides instead, and `limit` is the most bytes to keep on the device.
    Pictures that are not decoded are streamed by `workers` processes, one for each processor if not said.
    """
    if isinstance(split, TokenRows):
        return RowBatches(split, device=device, **dealing)
    if isinstance(split, TokenStream):
        return WindowBatches(split, device=device, **dealing)
    undecoded = isinstance(split.images, UndecodedImages)
    if stream is None:
        masks = 0 if split.masks is None else split.masks.size
        stream = undecoded or not fits_in_memory(math.prod(split.images.shape) + masks, device, limit=limit)
    make: Callable[..., AnyBatches] = TensorBatches
    if stream:
        make = partial(StreamedBatches, workers=(processors() if undecoded else 0) if workers is None else workers)
    return make(split.images, split.targets, device=device, **dealing)
