"""A folder of pictures with masks as a data set, both decoded once.

Masks have the size of the pictures as they are scaled where training is concerned. What is measured on keeps the sizes
of the files, so that scores are of what these say: as memory maps where all have the same, and else undecoded.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.hashes import content_hashes
from zoo.data.images.copies import copies, split_together
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.decoded import Part, open_pictures
from zoo.data.images.pictures import common_form
from zoo.data.masks.classes import VOC_CLASSES, named_values, names_file
from zoo.data.masks.decoding import common_size
from zoo.data.masks.layouts import ALL, Pair, find_layout
from zoo.data.masks.stored import MaskParts, StoredMasks, open_masks

_VERSION = "1"
_OWN_SIZE_UP_TO = 2 * 1024**3
"""Bytes of a split's masks that are kept; more are decoded when they are asked for."""


def open_mask_folder(
    folder: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: int = 0,
    stream: bool | None = None,
) -> ImageDataset:
    """Open a folder of pictures with masks, all scaled to one size: the one asked for, or the most common one.

    A picture and its mask are left out together, up to `skip_bad` of them.
    """
    layout = find_layout(folder)
    files = {path for pairs in layout.pairs.values() for pair in pairs for path in (pair.picture, pair.mask)}
    hashes = content_hashes(folder, sorted(path for path in files if path.is_file()))
    pairs, groups = _split(layout.pairs, hashes, str(folder))
    if image_size is None or channels is None:
        common, common_channels = common_form([pair.picture for part in pairs.values() for pair in part])
        image_size, channels = image_size or common, channels or common_channels
    names = names_file(folder)
    parts = MaskParts(
        pairs=pairs,
        sizes={name: image_size if name == "train" else _measured(part, image_size) for name, part in pairs.items()},
        named=None if names is None else named_values(names),
        names=VOC_CLASSES if layout.is_voc else (),
        source=str(folder),
    )
    digest = _digest(folder, parts, hashes, image_size, channels)
    masks = open_masks(digest, parts, skip_bad=skip_bad)
    kept = {name: [part[place].picture for place in masks.kept[name]] for name, part in pairs.items()}
    # The pictures are the same ones, whatever is mended in their masks
    pictures = hashlib.sha256(repr((_VERSION, image_size, channels)).encode())
    for name, paths in sorted(kept.items()):
        pictures.update("".join(f"{name} {hashes[path]}\n" for path in paths).encode())
    return ImageDataset(
        name=folder.resolve().name,
        splits=open_pictures(
            pictures.hexdigest(),
            {name: _part(name, paths, masks, groups.get(name)) for name, paths in kept.items()},
            image_size=image_size,
            channels=channels,
            skip_bad=skip_bad - len(masks.left_out),
            stream=stream,
        ),
        classes=masks.classes,
        license="unknown",
        source=str(folder),
        fingerprint=digest,
    )


def _split(
    pairs: Mapping[str, list[Pair]], hashes: Mapping[Path, str], source: str
) -> tuple[dict[str, list[Pair]], dict[str, NDArray[np.int64]]]:
    """Return the pairs of each split, and which pictures of it are copies of one."""
    pictures = {name: [pair.picture for pair in part] for name, part in pairs.items()}
    groups = copies(pictures, hashes, source)
    if set(pairs) != {ALL}:
        return dict(pairs), groups
    by_picture = {pair.picture: pair for pair in pairs[ALL]}
    splits, groups = split_together(list(by_picture), hashes, None, groups.get(ALL))
    return {name: [by_picture[path] for path in paths] for name, paths in splits.items()}, groups


def _part(name: str, paths: list[Path], masks: StoredMasks, groups: NDArray[np.int64] | None) -> Part:
    """Return pictures with masks in their own sizes, and beside them what training gets."""
    array, own = masks.arrays[name], masks.own.get(name)
    groups = None if groups is None else groups[masks.kept[name]]
    if own is None:
        return Part(paths, {"masks": array}, groups)
    training = {"masks": array} if name == "train" else {}
    return Part(paths, {"masks": own, "sizes": own.sizes}, groups, training)


def _measured(pairs: Sequence[Pair], image_size: tuple[int, int]) -> tuple[int, int]:
    """Return the size that the masks of a split that is measured on are kept in."""
    own = common_size(pairs)
    return own if own is not None and len(pairs) * own[0] * own[1] <= _OWN_SIZE_UP_TO else image_size


def _digest(
    folder: Path, parts: MaskParts, hashes: Mapping[Path, str], image_size: tuple[int, int], channels: int
) -> str:
    named = None if parts.named is None else (parts.named.classes, parts.named.table.tolist())
    form = (_VERSION, image_size, channels, sorted(parts.sizes.items()), named, tuple(parts.names))
    digest = hashlib.sha256(repr(form).encode())
    for name, pairs in sorted(parts.pairs.items()):
        for pair in pairs:
            where = pair.picture.relative_to(folder).as_posix()
            digest.update(f"{name} {where} {hashes[pair.picture]} {hashes.get(pair.mask)}\n".encode())
    return digest.hexdigest()
