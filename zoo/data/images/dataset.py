"""A data set of pictures in memory or memory-mapped: uint8, decoded once."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from zoo.data.arrays import Boxes, Images, Labels, OwnSizeMasks, taken
from zoo.data.drawing import draw_held_out, draw_labelled, held_out_fingerprint, placed_labels
from zoo.data.hub_files import HUB_DATASETS
from zoo.data.images.tiers import ImageBatches, image_batches
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.order import BatchOptions
from zoo.data.origins import Origins
from zoo.data.splitting import needed_splits, scoring
from zoo.errors import DataError
from zoo.specs.records import Target
from zoo.specs.renamed import renamed_arguments

_EVALUATED_AT_ONCE = 256
_NUMBERS_AT_ONCE = 64 * 1024 * 1024
_HOW_TO_PROVIDE: Mapping[Target, str] = {
    "labels": "put the images into one folder a class: train/<class>/*.png",
    "boxes": "give a folder of Pascal VOC, COCO or YOLO, and finetune with --task object-detection",
    "masks": "give images/*.jpg with masks/*.png beside them, and finetune with --task image-segmentation",
}


@dataclass(frozen=True)
class ImageSplit:
    """Pictures (samples, channels, height, width), and what is known of each.

    The pictures are an array of uint8, which may be a memory map, or are decoded when they are asked for.

    `labels` are int64 (samples,), or uint8 (samples, classes) of 0 and 1 where a picture may have several.
    `boxes` are float32 (samples, most, 6): left, top, right, bottom in pixels of the scaled picture, the class, and 0,
    or CROWD or DIFFICULT where the box is not to be scored; rows of class -1 fill up.
    `masks` are uint8 (samples, height, width), the class of each pixel, or 255 where it does not count; or undecoded.
    `sizes` are int64 (samples, 2), the height and width of the picture's file.
    `groups` are int64 (samples,), equal for copies of one picture, which are not parted; None where there are none.
    `training` is what training gets in the place of what has its name, such as `images` that are larger.
    `origins` are kept where they are asked for.
    """

    images: Images | UndecodedImages
    labels: Labels | None = None
    boxes: Boxes | None = None
    masks: Images | OwnSizeMasks | None = None
    sizes: NDArray[np.int64] | None = None
    origins: Origins | None = None
    groups: NDArray[np.int64] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def targets(self) -> dict[str, Any]:
        """What is known of the pictures, by name: arrays with a row for each, or masks that are undecoded."""
        named = {"labels": self.labels, "boxes": self.boxes, "masks": self.masks, "sizes": self.sizes}
        return {name: values for name, values in named.items() if values is not None}

    def batches(
        self,
        *,
        device: torch.device,
        stream: bool | None = None,
        limit: int | None = None,
        workers: int | None = None,
        **options: Unpack[BatchOptions],
    ) -> ImageBatches:
        """Return what gives out batches, as `image_batches` chooses; what is shuffled is to be trained on."""
        known = {"images": self.images, **self.targets, **(self.training if options["shuffle"] else {})}
        images = known.pop("images")
        return image_batches(images, known, device=device, stream=stream, limit=limit, workers=workers, **options)

    def evaluation_batch_size(self, batch_size: int) -> int:
        """Return how many images are scored at once; large ones are fewer."""
        masks = 0 if self.masks is None or isinstance(self.masks, np.ndarray) else self.masks.largest
        numbers = math.prod(self.images.shape[1:]) + masks
        return max(1 if masks else batch_size, min(_EVALUATED_AT_ONCE, _NUMBERS_AT_ONCE // numbers))

    def with_classes(self, places: NDArray[np.int64], count: int) -> "ImageSplit":
        """Return the split with each class at another place, of so many."""
        masks, boxes, training = self.masks, self.boxes, dict(self.training)
        table = np.full(256, 255, np.uint8)
        table[: len(places)] = places
        if masks is not None:
            masks = table[masks] if isinstance(masks, np.ndarray) else masks.placed(table)
        if "masks" in training:
            training["masks"] = table[training["masks"]]
        if boxes is not None:
            known = boxes[..., 4] >= 0
            boxes = boxes.copy()
            boxes[known, 4] = places[boxes[known, 4].astype(np.int64)]
        labels = None if self.labels is None else placed_labels(self.labels, places, count)
        return replace(self, labels=labels, boxes=boxes, masks=masks, training=training)

    def take(self, index: NDArray[np.int64]) -> "ImageSplit":
        """Return the samples at these places, in this order."""
        targets = {name: taken(values, index) for name, values in self.targets.items()}
        return ImageSplit(
            taken(self.images, index),
            **targets,
            groups=None if self.groups is None else self.groups[index],
            training={name: taken(values, index) for name, values in self.training.items()},
        )

    def measured(self) -> "ImageSplit":
        """Return the split as it is measured on, and not trained."""
        return replace(self, training={})


@renamed_arguments(licence="license")
@dataclass(frozen=True, kw_only=True)
class ImageDataset:
    """Splits named train and test (and validation), class names, and the sha256 over all contents."""

    name: str
    splits: Mapping[str, ImageSplit]
    classes: tuple[str, ...]
    license: str
    source: str
    fingerprint: str

    def __post_init__(self) -> None:
        if missing := set(needed_splits()) - self.splits.keys():
            raise DataError(f"{self.name} has no {' and no '.join(sorted(missing))} split; it needs train and test")
        shapes = {split.images.shape[1:] for split in self.splits.values()}
        if len(shapes) != 1:
            raise DataError(f"the splits of {self.name} differ in shape: {sorted(shapes)}; give them one size")
        for name, split in self.splits.items():
            self._check_split(name, split)

    def _check_split(self, name: str, split: ImageSplit) -> None:
        if split.images.dtype != np.uint8 or split.images.ndim != 4:
            found = f"{split.images.dtype} of {split.images.ndim} dimensions"
            raise DataError(
                f"the {name} images of {self.name} are {found}; give uint8 of (samples, channels, height, width)"
            )
        if len(split) == 0:
            raise DataError(f"the {name} split of {self.name} is empty; look into {self.source}")
        for target, values in split.targets.items():
            if len(values) != len(split):
                raise DataError(
                    f"{self.name} has {len(split):,} {name} images but {len(values):,} {target}; get it again"
                )
        for target, classes in (("label", split.labels), ("box", None if split.boxes is None else split.boxes[..., 4])):
            if classes is None or classes.ndim != 1 + (target == "box"):
                continue
            low, high = int(classes.min()), int(classes.max())
            if low < -(target == "box") or high >= len(self.classes):
                raise DataError(
                    f"{self.name} has a {name} {target} of class {high if low >= 0 else low} "
                    f"for {len(self.classes)} classes"
                )

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        height, width = next(iter(self.splits.values())).images.shape[2:]
        return int(height), int(width)

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return int(next(iter(self.splits.values())).images.shape[1])

    @property
    def labelled(self) -> bool:
        """Whether every split has labels."""
        return all(split.labels is not None for split in self.splits.values())

    def check(self, target: Target) -> None:
        """Raise DataError unless every split has this target, and every class has training images."""
        if target == "images":
            return
        if any(target not in split.targets for split in self.splits.values()):
            raise DataError(f"{self.source} has no {target}; {self._how_to_provide(target)}")
        if scoring():
            return
        if target != "boxes" and len(self.classes) < 2:
            raise DataError(
                f"{self.source} has only one class ({', '.join(self.classes)}); a classifier needs two or more"
                + ("; of masks 255 counts for none" if target == "masks" else "")
            )
        if target == "labels":
            self._check_labels()
        if target == "masks":
            self._check_masks()

    def _check_labels(self) -> None:
        counts = self._counts()
        if (empty := np.flatnonzero(counts == 0)).size:
            names = ", ".join(self.classes[place] for place in empty[:5])
            raise DataError(f"{self.source} has no training images of {names}; add some, or remove the class")

    def _check_masks(self) -> None:
        if (empty := np.flatnonzero(self._counts() == 0)).size:
            names = ", ".join(self.classes[place] for place in empty[:5])
            raise DataError(
                f"{self.source} has no pixel of {names} in its training masks; add some, or write void for the class "
                "in classes.txt"
            )

    def class_shares(self) -> dict[str, float]:
        """Return the share of each class in the pixels, boxes or images of the training split."""
        counts = self._counts()
        return dict(zip(self.classes, (counts / max(1, counts.sum())).tolist(), strict=True))

    def _counts(self) -> NDArray[np.int64]:
        """Return how many pixels, boxes or images of the training split are of each class."""
        train, counts = self.splits["train"], np.zeros(256, np.int64)
        if train.masks is not None:
            for mask in train.training.get("masks", train.masks):
                counts += np.bincount(mask.ravel(), minlength=256)
        elif train.labels is not None and train.labels.ndim == 2:
            counts = train.labels.sum(0, dtype=np.int64)
        elif train.labels is not None or train.boxes is not None:
            found = train.labels if train.boxes is None else train.boxes[..., 4]
            assert found is not None
            counts = np.bincount(found[found >= 0].astype(np.int64), minlength=len(self.classes))
        return counts[: len(self.classes)]

    def subset(self, labels: int, seed: int) -> "ImageDataset":
        """Keep that many training images, drawn by the seed; of one class each, as evenly over them as can be."""
        train = self.splits["train"]
        single = train.labels if train.labels is not None and train.labels.ndim == 1 else None
        index = draw_labelled(single, len(train), self.classes, labels, seed)
        fingerprint = hashlib.sha256(f"{self.fingerprint} {labels} labels, seed {seed}".encode()).hexdigest()
        return replace(self, splits={**self.splits, "train": train.take(index)}, fingerprint=fingerprint)

    def hold_out(self, share: float, seed: int) -> "ImageDataset":
        """Move a share of the training split, drawn by the seed, and of each class, to a split `validation`.

        Copies of one picture stay together.
        """
        train = self.splits["train"]
        classes = _classes_of(train)
        stays, held = draw_held_out(len(train), share, seed, classes, train.groups)
        splits = {**self.splits, "train": train.take(stays), "validation": train.take(held).measured()}
        fingerprint = held_out_fingerprint(self.fingerprint, classes, train.groups)
        return replace(self, splits=splits, fingerprint=fingerprint)

    def with_classes(self, classes: tuple[str, ...]) -> "ImageDataset":
        """Return the data set with its classes at the places that they have among others."""
        places = np.array([classes.index(name) for name in self.classes], np.int64)
        splits = {name: split.with_classes(places, len(classes)) for name, split in self.splits.items()}
        return replace(self, splits=splits, classes=classes)

    def _how_to_provide(self, target: Target) -> str:
        if target == "labels" and self.source.startswith(HUB_DATASETS):
            return "it needs a column called label, of class labels, numbers or names; choose other data"
        return _HOW_TO_PROVIDE[target]


def _classes_of(split: ImageSplit) -> Labels | list[list[int]] | None:
    """Return the classes of each picture: its labels, or those of its boxes."""
    if split.boxes is None:
        return split.labels
    return [np.unique(rows[rows[:, 4] >= 0, 4]).astype(np.int64).tolist() for rows in split.boxes]


def fingerprint(splits: Mapping[str, ImageSplit], classes: tuple[str, ...]) -> str:
    """Return the sha256 over names, shapes and contents of all splits."""
    digest = hashlib.sha256(repr(classes).encode())
    for name in sorted(splits):
        split = splits[name]
        digest.update(f"{name} {split.images.shape}".encode())
        digest.update(np.ascontiguousarray(split.images).data)
        for values in split.targets.values():
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
