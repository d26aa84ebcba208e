"""Open a data set by name or path, in the size and the channels that a model takes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import numpy as np
import torch
import torch.nn.functional as F

from zoo.data.arrays import Images
from zoo.data.hub_files import HUB_DATASETS
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.form import ImageForm
from zoo.data.images.hub import open_hub_dataset
from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.mnist import is_idx_folder, open_idx_folder
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.named import make_dataset
from zoo.errors import DataError, PluginError
from zoo.specs.records import DatasetSpec

_AT_ONCE = 1024


def open_dataset(
    name: str,
    *,
    data_dir: Path | None,
    spec: DatasetSpec | None,
    reader: Callable[..., ImageDataset] | None = None,
    hub: str | Path | None = None,
    download: bool | None = None,
    **form: Unpack[ImageForm],
) -> ImageDataset:
    """Open the data set of the spec, or else that which `name` says, in the form that is asked for.

    That is a folder of images or of MNIST's idx files, or one that `reader` opens, or
    `hf://datasets/org/name[@revision]` on a Hub. Without `download` the files of a Hub pass by once, and only the
    decoded pictures are kept.
    """
    if name.startswith(HUB_DATASETS):
        return open_hub_dataset(name, hub=hub, download=download, **form)
    if spec is None:
        if Path(name).is_file():
            raise DataError(f"{name} is a file; if it is an archive, unpack it, and give the folder of pictures")
        if reader is None and is_idx_folder(Path(name)):
            return _fitted(open_idx_folder(Path(name)), form)
        if reader is not None:
            return reader(Path(name), **{key: value for key, value in form.items() if key not in ("scaling", "crops")})
        return open_image_folder(Path(name), **form)
    dataset = make_dataset(spec, data_dir)
    if not isinstance(dataset, ImageDataset):
        raise PluginError(
            f"data set {name!r} is a {type(dataset).__name__}, not a zoo.ImageDataset; report it to its author"
        )
    return _fitted(dataset, form)


def _fitted(dataset: ImageDataset, form: ImageForm) -> ImageDataset:
    return fit(dataset, form.get("image_size") or dataset.image_size, form.get("channels") or dataset.channels)


def fit(dataset: ImageDataset, image_size: tuple[int, int], channels: int) -> ImageDataset:
    """Return the data set in another size (bilinear) and with other channels (grey from luma, colour by repeating)."""
    if (image_size, channels) == (dataset.image_size, dataset.channels):
        return dataset
    if {channels, dataset.channels} - {1, 3}:
        raise DataError(
            f"{dataset.name} has {dataset.channels} channels and the model takes {channels}; choose other data"
        )
    splits = {}
    for name, part in dataset.splits.items():
        rows, columns = (new / old for new, old in zip(image_size, dataset.image_size, strict=True))
        scale = np.array([columns, rows, columns, rows, 1, 1], np.float32)
        splits[name] = replace(
            part,
            images=_fit(part.images, image_size, channels),
            boxes=None if part.boxes is None else part.boxes * scale,
            masks=None if part.masks is None else _fit_masks(np.asarray(part.masks), image_size),
        )
    return replace(dataset, splits=splits)


def _fit(images: Images | UndecodedImages, image_size: tuple[int, int], channels: int) -> np.ndarray:
    parts = []
    for start in range(0, len(images), _AT_ONCE):
        part = torch.from_numpy(images[np.arange(start, min(start + _AT_ONCE, len(images)))]).float()
        if part.shape[1] == 3 and channels == 1:
            part = (part * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
        elif part.shape[1] == 1 and channels == 3:
            part = part.expand(-1, 3, -1, -1)
        if tuple(part.shape[2:]) != image_size:
            part = F.interpolate(part, image_size, mode="bilinear", antialias=True)
        parts.append(part.round().clamp(0, 255).byte().numpy())
    return np.concatenate(parts)


def _fit_masks(masks: Images, image_size: tuple[int, int]) -> Images:
    """Take for each pixel the one of the old mask that lies at its centre."""
    rows, columns = (
        (np.arange(new) * 2 + 1) * old // (2 * new) for new, old in zip(image_size, masks.shape[1:], strict=True)
    )
    return masks[:, rows[:, None], columns]
