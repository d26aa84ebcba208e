"""Images in batches for a model: read by threads while it computes, then normalized as its weights were trained."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from zoo.data.images.normalize import normalize
from zoo.data.images.pictures import Encoded, decode_all
from zoo.data.images.scaling import scaling_of
from zoo.errors import DataError
from zoo.weights.inputs import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

Readable: TypeAlias = "str | Path | Encoded | Image | NDArray[np.uint8]"
"""A path, a file in memory, an image of PIL, or bytes (channels, height, width) in the size that is wanted."""


def read_batches(
    images: Sequence[Readable], inputs: Preprocessing, batch_size: int, *, bad: dict[int, DataError] | None = None
) -> Iterator[tuple[Tensor, list[tuple[int, int]]]]:
    """Yield batches of images as bytes with the sizes that they had, the next one read while one is used.

    Bad ones are left out where `bad` takes by their places what is wrong with them.
    """

    def read(start: int) -> tuple[Tensor, list[tuple[int, int]]]:
        some = [images[place] for place in range(start, min(start + batch_size, len(images)))]
        left_out: dict[int, DataError] | None = None if bad is None else {}
        found = _read(some, inputs, left_out)
        if bad is not None and left_out:
            bad.update({start + place: error for place, error in left_out.items()})
        return found

    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(read, 0) if len(images) else None
        for start in range(0, len(images), batch_size):
            assert coming is not None
            batch = coming.result()
            if start + batch_size < len(images):
                coming = reader.submit(read, start + batch_size)
            yield batch


def as_inputs(pixels: Tensor, inputs: Preprocessing, like: Tensor) -> Tensor:
    """Return images of bytes as what a model takes, on the device and in the type of one of its parameters."""
    # convolutions take images whose channels lie side by side faster, by a quarter on a CPU
    images = pixels.to(like.device, memory_format=torch.channels_last).float().div_(255)
    return normalize(images, inputs).to(like.dtype)


def _read(
    images: Sequence[Any], inputs: Preprocessing, left_out: dict[int, DataError] | None
) -> tuple[Tensor, list[tuple[int, int]]]:
    if all(isinstance(image, np.ndarray) for image in images):
        wanted = (inputs.channels, *inputs.image_size)
        for image in images:
            if image.dtype != np.uint8 or image.shape != wanted:
                raise DataError(f"an image is {image.dtype} of shape {image.shape}; give uint8 of shape {wanted}")
        return torch.from_numpy(np.stack(images)), [inputs.image_size] * len(images)
    sources = [Path(image) if isinstance(image, str) else image for image in images]
    sizes = np.empty((len(sources), 2), np.int64)
    skip = 0 if left_out is None else len(sources)
    size, channels = inputs.image_size, inputs.channels
    try:
        pixels, bad = decode_all(sources, size, channels, scaling=scaling_of(inputs), sizes=sizes, skip_bad=skip)
    except DataError as error:  # that training may skip it helps nobody here
        raise DataError(
            str(error).replace("remove it, or allow some: --skip-bad N", "leave it out, or give another path")
        ) from None
    if left_out is not None:
        left_out.update(bad)
    kept = np.delete(sizes, list(bad), axis=0)
    return torch.from_numpy(pixels), [(height, width) for height, width in kept.tolist()]
