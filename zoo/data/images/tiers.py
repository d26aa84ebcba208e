"""Which way of giving out batches of images fits a split and a device."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Unpack

import numpy as np
import torch

from zoo.data.arrays import Images
from zoo.data.images.batches import TensorBatches
from zoo.data.images.pictures import processors
from zoo.data.images.streamed import StreamedBatches
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.memory import fits_in_memory
from zoo.data.order import BatchOptions

ImageBatches = TensorBatches | StreamedBatches


def image_batches(
    images: Images | UndecodedImages,
    targets: Mapping[str, Any],
    *,
    device: torch.device,
    stream: bool | None = None,
    limit: int | None = None,
    workers: int | None = None,
    **options: Unpack[BatchOptions],
) -> ImageBatches:
    """Return the batches of a split: whole on the device where that fits, and streamed to it where not.

    Both are the same to the bit. `stream` decides instead, and `limit` is the most bytes to keep on the device.
    Images that are not decoded are streamed by `workers` processes, one for each processor if not said.
    """
    undecoded, masks = isinstance(images, UndecodedImages), targets.get("masks", np.zeros(0))
    if stream is None:
        stream = undecoded or not isinstance(masks, np.ndarray)
        stream = stream or not fits_in_memory(math.prod(images.shape) + masks.size, device, limit=limit)
    make: Callable[..., ImageBatches] = TensorBatches
    if stream:
        make = partial(StreamedBatches, workers=(processors() if undecoded else 0) if workers is None else workers)
    return make(images, targets, device=device, **options)
