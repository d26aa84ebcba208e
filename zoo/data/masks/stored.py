"""Masks decoded once, kept as uint8 memory maps under the hash of what they were made from."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from zoo.data.arrays import Images
from zoo.data.augmentation.masks import IGNORED
from zoo.data.images.decoded import READ, SkippedFiles, new_array
from zoo.data.masks.classes import NAMES_FILE, Values, found_values, number_objects
from zoo.data.masks.decoding import decode_masks
from zoo.data.masks.layouts import Pair
from zoo.data.masks.undecoded import UndecodedMasks
from zoo.errors import DataError
from zoo.files import cache_folder, new_folder, storage_errors

_RECORD = "masks.json"
_AT_ONCE = 64
_log = logging.getLogger("zoo")


@dataclass(frozen=True, kw_only=True)
class MaskParts:
    """What masks are made from: the pairs of each split, the sizes to scale to, and what the values mean.

    `named` says what they mean; without it the classes are the values that occur in training masks, called by `names`,
    or by their numbers where there are more.
    """

    pairs: Mapping[str, Sequence[Pair]]
    sizes: Mapping[str, tuple[int, int]]
    named: Values | None
    names: Sequence[str] = ()
    source: str


@dataclass(frozen=True)
class StoredMasks:
    """Memory maps by split, which of all pairs they are of, and what was left out.

    `own` has the masks of a split in the sizes of their files, where these are others.
    """

    classes: tuple[str, ...]
    arrays: Mapping[str, Images]
    own: Mapping[str, UndecodedMasks]
    kept: Mapping[str, list[int]]
    left_out: Sequence[SkippedFiles]


class _Record(msgspec.Struct):
    classes: tuple[str, ...]
    left_out: list[SkippedFiles]
    notes: list[str]
    table: list[int]
    sizes: dict[str, list[tuple[int, int]]]


def open_masks(key: str, parts: MaskParts, *, skip_bad: int = 0) -> StoredMasks:
    """Return the masks, decoded into the cache unless `key` is there; up to `skip_bad` bad ones are left out."""
    cached = cache_folder() / "masks" / f"{key}-{READ}"
    with storage_errors(f"caching masks in {cached}"):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{cached}.lock"):  # of several processes that start at once, one decodes
            record = _stored(cached, parts)
            if record is None:
                with new_folder(cached) as temporary:
                    record = _decode(temporary, parts, skip_bad)
                    (temporary / _RECORD).write_bytes(msgspec.json.encode(record))
    if len(record.left_out) > skip_bad:
        raise DataError(record.left_out[skip_bad].why)
    for item in record.left_out:
        _log.warning("left out: %s", item.why)
    for note in record.notes:
        _log.warning("%s", note)
    arrays, kept, own = {}, {}, {}
    table = np.array(record.table, np.uint8)
    for name, pairs in parts.pairs.items():
        bad = {item.place for item in record.left_out if item.split == name}
        kept[name] = [place for place in range(len(pairs)) if place not in bad]
        array = np.load(cached / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        arrays[name] = array[kept[name]] if bad else array
        sizes = np.array(record.sizes[name], np.int64).reshape(-1, 2)[kept[name]]
        if (sizes != arrays[name].shape[1:]).any():
            own[name] = UndecodedMasks([pairs[place] for place in kept[name]], table, sizes)
    return StoredMasks(record.classes, arrays, own, kept, record.left_out)


def _stored(cached: Path, parts: MaskParts) -> _Record | None:
    """Return what was found while decoding, or None where the folder is not there, or not whole."""
    sizes = {name: len(pairs) * math.prod(parts.sizes[name]) for name, pairs in parts.pairs.items()}
    try:
        whole = all((cached / f"{name}.npy").stat().st_size > size for name, size in sizes.items())
        return msgspec.json.decode((cached / _RECORD).read_bytes(), type=_Record) if whole else None
    except (OSError, msgspec.MsgspecError):
        return None


def _decode(folder: Path, parts: MaskParts, skip_bad: int) -> _Record:
    """Write the masks of all splits as classes. Raise DataError for more bad ones than may be left out."""
    arrays: dict[str, Images] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    bad: dict[str, dict[int, DataError]] = {}
    assumed: list[Pair] = []
    sizes: dict[str, list[tuple[int, int]]] = {}
    for name, pairs in parts.pairs.items():
        arrays[name] = new_array(folder / f"{name}.npy", (len(pairs), *parts.sizes[name]))
        found = decode_masks(pairs, arrays[name])
        present[name], bad[name] = found.present, found.bad
        sizes[name] = [(height, width) for height, width in found.sizes.tolist()]
        assumed += [pairs[place] for place in found.assumed]
    values = parts.named or found_values(_any(present.get("train", present["test"])), parts.names, parts.source)
    for name, pairs in parts.pairs.items():
        for place, pair in enumerate(pairs):
            if (value := values.unknown(present[name][place])) is not None:
                bad[name][place] = DataError(f"{pair.mask} has the value {value}, {values.how_to_know(value)}")
    left_out = [
        SkippedFiles(name, place, str(error)) for name, some in bad.items() for place, error in sorted(some.items())
    ]
    if len(left_out) > skip_bad:
        raise DataError(left_out[skip_bad].why)
    table = np.where(values.table < 0, IGNORED, values.table).astype(np.uint8)
    for name, array in arrays.items():
        if not values.counted(_any(np.delete(present[name], list(bad[name]), axis=0))):
            raise DataError(
                f"no pixel of the {name} masks in {parts.source} counts: all values are 255 or left out by their name; "
                "number the classes from 0 on"
            )
        for start in range(0, len(array), _AT_ONCE):
            array[start : start + _AT_ONCE] = table[array[start : start + _AT_ONCE]]
    numbered = parts.named is None and not parts.names and number_objects(next(iter(present.values())))
    notes = [*_assumed(assumed), *([_numbered(values, parts)] if numbered else [])]
    return _Record(values.classes, left_out, notes, table.tolist(), sizes)


def _assumed(pairs: Sequence[Pair]) -> list[str]:
    if not pairs:
        return []
    return [
        f"{len(pairs)} pictures are turned by their EXIF, and their masks fit them before and after: assumed after, as "
        f"viewers show them, first {pairs[0].mask}"
    ]


def _numbered(values: Values, parts: MaskParts) -> str:
    return (
        f"the masks in {parts.source} have values from 0 or 1 to as many as differ from mask to mask, as if they "
        f"numbered objects; they are learnt as {len(values.classes)} classes. If they do, write classes into the "
        f"masks; if not, name them in {parts.source}/{NAMES_FILE}"
    )


def _any(present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which of the 256 values any of the masks has."""
    flags: NDArray[np.bool_] = np.logical_or.reduce(present, axis=0)
    return flags
