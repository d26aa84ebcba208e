"""Pictures decoded once, kept as uint8 memory maps under the hash of what they were made from."""

import io
import logging
import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from zoo.data.arrays import Images, taken
from zoo.data.images.dataset import ImageSplit
from zoo.data.images.orientation import frame_of
from zoo.data.images.pictures import Source, decode_all, decoding, open_strictly, processors, strict_pillow
from zoo.data.images.scaling import STRETCHED, Scaling
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.memory import fits_in_memory
from zoo.data.origins import origins_kept
from zoo.errors import DataError
from zoo.files import cache_folder, new_folder, storage_errors, write_file

READ = "3"
"""How images and masks are read; what was cached when they were read otherwise is not looked at."""

_LEFT_OUT = "left-out.json"
_PHOTOGRAPH = 64
"""The shorter side from which on a picture counts as a photograph, most parts of which say what it shows."""
_log = logging.getLogger("zoo")


@dataclass(frozen=True)
class Part:
    """What a split is made from: pictures, and what is known of each, by the names that `ImageSplit` gives it."""

    sources: Sequence[Source]
    targets: Mapping[str, Any] = field(default_factory=dict)
    groups: NDArray[np.int64] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)


class SkippedFiles(msgspec.Struct):
    """A bad picture: where it was, and what is wrong with it."""

    split: str
    place: int
    why: str


def open_pictures(
    key: str,
    parts: Mapping[str, Part],
    *,
    image_size: tuple[int, int],
    channels: int,
    scaling: Scaling = STRETCHED,
    skip_bad: int = 0,
    stream: bool | None = None,
    whole: tuple[int, int] | None = None,
) -> dict[str, ImageSplit]:
    """Return the splits, decoded into the cache unless `key` is there; up to `skip_bad` bad pictures are left out.

    With `stream` they are not kept but decoded whenever they are asked for; None does so where together they would not
    fit into memory. A bad picture then ends the epoch that meets it, unless `skip_bad` has all looked at before.

    With `whole` training gets pictures of that size, stretched to it as a whole, and the sizes that their files have.
    """
    form = (channels, *image_size)
    larger = {name: part for name, part in parts.items() if name == "train" and whole is not None}
    rest = {name: part for name, part in parts.items() if name not in larger}
    found = _opened(f"{key}-tested" if larger else key, rest, form, scaling, skip_bad, stream)
    larger_ones: dict[str, Any] = {}
    for name, part in larger.items():
        assert whole is not None
        skip_bad -= sum(len(parts[other].sources) - len(good) for other, (_, good) in found.items())
        stretched = Scaling(interpolation=scaling.interpolation)
        size = f"{whole[0]}x{whole[1]}-{scaling.interpolation}"
        kept = _opened(f"{key}-{size}", {name: part}, (channels, *whole), stretched, skip_bad, stream)
        images, good = kept[name]
        larger_ones = {"images": images, "sizes": _sizes(key, part.sources)[good]}
        found[name] = UndecodedImages(part.sources, image_size, channels, good, scaling), good
    splits = {}
    for name, part in parts.items():
        images, good = found[name]
        every = len(good) == len(part.sources)
        # Where nothing is left out a target stays as it is: masks may be a memory map
        targets, instead = (
            {key: values if every else taken(values, good) for key, values in known.items()}
            for known in (part.targets, part.training)
        )
        groups = part.groups if part.groups is None or every else part.groups[good]
        origins = [{"file": str(part.sources[place])} for place in good.tolist()] if origins_kept() else None
        training = {**instead, **(larger_ones if name in larger else {})}
        splits[name] = ImageSplit(images, **targets, origins=origins, groups=groups, training=training)
    return splits


def whole_size(common: tuple[int, int], image_size: tuple[int, int]) -> tuple[int, int] | None:
    """Return the size that photographs are kept in to cut parts out of: their own, up to half as much again as parts.

    A part has half of the area on average, and so about the pixels that it is scaled to. Return None where pictures are
    no larger than that, or so small that all of one is needed.
    """
    larger = all(side >= wanted for side, wanted in zip(common, image_size, strict=True))
    if not larger or common == tuple(image_size) or min(common) < _PHOTOGRAPH:
        return None
    height, width = (min(side, wanted * 3 // 2) for side, wanted in zip(common, image_size, strict=True))
    return height, width


def _opened(
    key: str,
    parts: Mapping[str, Part],
    form: tuple[int, int, int],
    scaling: Scaling,
    skip_bad: int,
    stream: bool | None,
) -> dict[str, tuple[Images | UndecodedImages, NDArray[np.int64]]]:
    """Return the pictures of each split in one form, and the places of those that are good."""
    if stream is None:
        stream = not fits_in_memory(sum(len(part.sources) for part in parts.values()) * math.prod(form))
    left_out: list[SkippedFiles] = []
    cached = cache_folder() / ("checked" if stream else "images") / f"{key}-{READ}"
    if skip_bad or not stream:
        left_out = _fill(cached, parts, form, scaling, skip_bad, keep=not stream)
    found: dict[str, tuple[Images | UndecodedImages, NDArray[np.int64]]] = {}
    for name, part in parts.items():
        good = np.delete(np.arange(len(part.sources)), [item.place for item in left_out if item.split == name])
        if stream:
            found[name] = UndecodedImages(part.sources, form[1:], form[0], good, scaling), good
        else:
            found[name] = np.load(cached / f"{name}.npy", mmap_mode="r", allow_pickle=False)[: len(good)], good
    return found


def _sizes(key: str, sources: Sequence[Source]) -> NDArray[np.int64]:
    """Return height and width of each picture, 1 and 1 where it is none, which decoding reports; kept under `key`."""
    kept = cache_folder() / "sizes" / f"{key}.npy"
    try:
        found: NDArray[np.int64] = np.load(kept, allow_pickle=False)
        if len(found) == len(sources):
            return found
    except (OSError, ValueError):
        pass
    with strict_pillow(), ThreadPoolExecutor(processors()) as pool:
        found = np.array(list(pool.map(_size, sources)), np.int64).reshape(-1, 2)
    buffer = io.BytesIO()
    np.save(buffer, found, allow_pickle=False)
    with storage_errors(f"writing {kept}"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_file(kept, buffer.getvalue())
    return found


def _size(source: Source) -> tuple[int, int]:
    try:
        with open_strictly(source) as picture, decoding(source):
            return frame_of(picture).size
    except DataError:
        return 1, 1


def _fill(
    cached: Path,
    parts: Mapping[str, Part],
    form: tuple[int, int, int],
    scaling: Scaling,
    skip_bad: int,
    *,
    keep: bool,
) -> list[SkippedFiles]:
    """Decode all pictures into a folder that is not there yet, and return what is left out of it."""
    with storage_errors(f"caching pictures in {cached}"):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{cached}.lock"):  # of several processes that start at once, one decodes
            sizes = {name: len(part.sources) * math.prod(form) for name, part in parts.items()} if keep else {}
            left_out = _stored(cached, sizes)
            if left_out is None:
                left_out = []
                with new_folder(cached) as temporary:
                    for name, part in parts.items():
                        out = new_array(temporary / f"{name}.npy" if keep else None, (len(part.sources), *form))
                        left_out += _decode(name, part, out, scaling, skip_bad - len(left_out))
                    (temporary / _LEFT_OUT).write_bytes(msgspec.json.encode(left_out))
                return left_out
    if len(left_out) > skip_bad:
        raise DataError(left_out[skip_bad].why)
    for item in left_out:
        _log.warning("left out: %s", item.why.partition(";")[0])
    return left_out


def _stored(cached: Path, sizes: Mapping[str, int]) -> list[SkippedFiles] | None:
    """Return what was left out of a folder, or None where it is not there, or not whole."""
    try:
        whole = all((cached / f"{name}.npy").stat().st_size > size for name, size in sizes.items())
        return msgspec.json.decode((cached / _LEFT_OUT).read_bytes(), type=list[SkippedFiles]) if whole else None
    except (OSError, msgspec.MsgspecError):
        return None


def new_array(path: Path | None, shape: tuple[int, ...]) -> Images:
    """Return an array to fill: a new memory map, or without a path one whose rows all lie in the same place."""
    if path is not None:
        images = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
        if hasattr(os, "posix_fallocate"):
            # Writing to a map on a full disk would kill the process; taking the space before is an error to report
            with open(path, "rb+") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return images
    # All pictures over one another, in the memory of one: it only matters whether they can be decoded
    one = np.empty(shape[1:], np.uint8)
    return np.lib.stride_tricks.as_strided(one, shape, (0, *one.strides))


def _decode(name: str, part: Part, out: Images, scaling: Scaling, skip_bad: int) -> list[SkippedFiles]:
    if not len(part.sources):
        raise DataError(f"the {name} split has no pictures; add some")
    bad = decode_all(part.sources, out.shape[2:], out.shape[1], scaling=scaling, skip_bad=skip_bad, out=out)[1]
    return [SkippedFiles(name, place, str(error)) for place, error in bad.items()]
