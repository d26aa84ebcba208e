"""Take from a data set what tells how its pictures are best changed."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.arrays import Images
from zoo.data.augmentation.choosing import MOST, Known, small
from zoo.data.augmentation.small_network import SIDE
from zoo.data.drawing import draw_labelled
from zoo.data.images.batches import to_floats
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.undecoded import UndecodedImages
from zoo.seeds import generator

_AT_ONCE = 64
_LARGER = 1.5
"""By how much whole pictures are larger than the parts that are cut out of them."""


def pictures_to_choose_by(dataset: ImageDataset, seed: int, *, labelled: bool) -> Known:
    """Return some pictures of the training split, drawn by the seed, of each class as evenly as can be."""
    train = dataset.splits["train"]
    labels = train.labels if labelled and train.labels is not None and train.labels.dtype.kind in "iu" else None
    count = min(MOST, len(train))
    if labels is not None and labels.ndim == 1 and len(dataset.classes) <= count:
        places = draw_labelled(labels, len(train), dataset.classes, count, seed)
    else:
        order = torch.randperm(len(train), generator=generator(seed, "pictures to choose by"))
        places = np.sort(order[:count].numpy())
    whole, sizes = train.training.get("images"), train.training.get("sizes", train.sizes)
    return Known(
        _small(train.images, places, SIDE),
        None if labels is None else torch.from_numpy(labels[places]).long(),
        None if whole is None else _small(whole, places, round(_LARGER * SIDE)),
        None if whole is None or sizes is None else torch.from_numpy(sizes[places]),
    )


def _small(images: Images | UndecodedImages, places: NDArray[np.int64], side: int) -> Tensor:
    parts = [places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE)]
    return torch.cat([small(to_floats(torch.from_numpy(images[part])), side) for part in parts])
