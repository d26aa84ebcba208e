"""Vectors of images: the features that a model pools for its head, or the codes of an autoencoder."""

from __future__ import annotations

import hashlib
import os.path
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.hashes import common_hashes
from zoo.data.images.dataset import ImageDataset, ImageSplit
from zoo.data.images.listing import pictures_in
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.reading import as_inputs, read_batches
from zoo.data.splitting import splits_of
from zoo.engine.modes import evaluating
from zoo.errors import UsageError
from zoo.inference.embedding.grid import draw_nearest
from zoo.specs.backbones import Autoencoder, Backbone
from zoo.specs.modality import DataSource, Samples
from zoo.weights.inputs import Preprocessing

if TYPE_CHECKING:
    from zoo.data.reading import Readable


class EmbedImages:
    """Bound to a loaded model of images as `model.embed`, where its class has no method of that name.

    `opener` opens a data set in the size that the weights take, its files decoded only when they are asked for.
    """

    modality: ClassVar[str] = "image"

    def __init__(
        self,
        model: nn.Module,
        inputs: Preprocessing | None,
        opener: Callable[[Preprocessing, DataSource], ImageDataset],
    ) -> None:
        self._model = model
        self._known = inputs
        self._open = opener

    def __call__(
        self, images: Readable | Sequence[Readable], *, batch_size: int = 64, normalize: bool = False
    ) -> Tensor:
        """Return vectors (images, features), of length 1 with `normalize`.

        An image is a path, a PIL image, or an array of bytes (channels, height, width) in the size of the weights;
        files are read by threads while the model computes. A vector has the features that the head would get; of an
        autoencoder it is the code.
        """
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; give 1 or more")
        several: Any = images if isinstance(images, Sequence) and not isinstance(images, str) else [images]
        like = next(self._model.parameters())
        found: list[Tensor] = []
        with evaluating(self._model):
            for pixels, _ in read_batches(several, self._inputs, batch_size):
                found.append(self._vectors(as_inputs(pixels, self._inputs, like)))
        if not found:
            return torch.empty(0, cast(Any, self._model).num_features, device=like.device)
        return F.normalize(torch.cat(found), dim=-1) if normalize else torch.cat(found)

    def items(self, arguments: Sequence[str]) -> Samples:
        """Return the images that were typed, and all in folders."""
        paths = pictures_in([Path(argument) for argument in arguments])
        hashes = common_hashes(paths)
        digest = hashlib.sha256(repr([(str(path), hashes[path]) for path in paths]).encode("utf-8", "replace"))
        return Samples(items=paths, names=[str(path) for path in paths], fingerprint=digest.hexdigest())

    def data(self, source: DataSource, split: str) -> Samples:
        """Return the images of a data set, named by the files where there are some."""
        dataset = self._open(self._inputs, source)
        chosen = splits_of(dataset.splits, split, dataset.source)
        names = [found for name, part in chosen.items() for found in _names(part, name, source.name)]
        digest = hashlib.sha256(f"{dataset.fingerprint} {split}".encode())
        return Samples(items=_Joined(list(chosen.values())), names=names, fingerprint=digest.hexdigest())

    def draw(self, samples: Samples, nearest: Sequence[Sequence[tuple[int, float]]], out: Path) -> bool:
        """Draw a row for each of the first images: the image, those nearest to it, and how near they are."""
        draw_nearest(samples.items, nearest, out)
        return True

    @property
    def _inputs(self) -> Preprocessing:
        if self._known is None:
            raise UsageError("these weights do not say which images they take; add `inputs` to their config.json")
        return self._known

    def _vectors(self, inputs: Tensor) -> Tensor:
        if isinstance(self._model, Autoencoder):
            return self._model.embed(inputs)
        backbone = cast(Backbone, self._model)
        return backbone.forward_head(backbone.forward_features(inputs), pre_logits=True)


class _Joined(Sequence[Any]):
    """The images of several splits, one split after the other: files as they are, or arrays."""

    def __init__(self, splits: Sequence[ImageSplit]) -> None:
        self._splits = splits
        self._ends = np.cumsum([len(split) for split in splits])

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, place: Any) -> Any:
        number = int(np.searchsorted(self._ends, place, side="right"))
        images = self._splits[number].images
        inside = place - int(self._ends[number]) + len(images)
        return images.source(inside) if isinstance(images, UndecodedImages) else np.asarray(images[inside])


def _names(split: ImageSplit, name: str, folder: str) -> list[str]:
    """Return the files of a split as they lie in a folder; what is no file is named by split and place."""
    images, indices = split.images, range(len(split))
    if not isinstance(images, UndecodedImages) or not isinstance(images.source(0), Path):
        return [f"{name}/{place}" for place in indices]
    return [os.path.relpath(str(images.source(place)), folder) for place in indices]
