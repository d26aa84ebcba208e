"""Which pictures were made of one: by their names, by their bytes, and by what they look like.

Names are those that tools give: `name_jpg.rf.HASH.jpg` (Roboflow), `name_aug3.png`, `name (1).jpg` beside `name.jpg`.
Alike are pictures whose difference hashes (64 bits, of the mean luma of 8x8 areas) differ in up to 6 bits, and whose
areas, 16x16, correlate by 0.99 or more: as after compressing, scaling, stretching and brightening, and seldom
otherwise.
"""

import hashlib
import io
import re
from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.groups import joined, warn_of_copies
from zoo.data.images.pictures import Encoded, decoding, open_strictly, processors, strict_pillow
from zoo.data.splitting import SPLITS, scoring, split_by_hash
from zoo.errors import DataError
from zoo.files import cache_folder, storage_errors, write_file

_VERSION = "1"
_MADE = re.compile(
    r"(.+?)(?:(?:_(?:jpe?g|png))?\.rf\.[0-9a-z]{8,}|[ _.-]+aug(?:mented|mentation)?(?:[ _-]*\d+)?)+", re.IGNORECASE
)
_COPY = re.compile(r"(.+?)(?: ?\(\d+\)| - Copy(?: \(\d+\))?|[ _]copy[ _]?\d*)", re.IGNORECASE)
_SIDE, _DRAFT = 16, 128
_BITS, _CORRELATION, _FLAT = 6, 0.99, 2.0
_BANDS, _COMPARED = 4, 64
_MOST = 200_000
_AT_ONCE = 64


def copies(
    splits: Mapping[str, Sequence[Path]], hashes: Mapping[Path, str], source: str
) -> dict[str, NDArray[np.int64]]:
    """Return by split which pictures are copies of one, nothing where none is; warn of those in train and elsewhere.

    What is opened to be scored is not looked at: nothing is learnt from it.
    """
    if scoring():
        return {}
    found = copies_among([path for part in splits.values() for path in part], hashes)
    return _told({split: [path.name for path in part] for split, part in splits.items()}, found, source)


def copies_in_tables(splits: Mapping[str, Sequence[Encoded]], key: str, source: str) -> dict[str, NDArray[np.int64]]:
    """Return what `copies` does, of the rows of tables; what was found is kept under the key, as that of a commit."""
    if scoring():
        return {}
    kept = cache_folder() / "copies" / f"{hashlib.sha256(f'{_VERSION} {key}'.encode()).hexdigest()}.npy"
    count = sum(map(len, splits.values()))
    if (found := _read(kept)) is None or found.shape not in ((count,), (0,)):
        looked = _among_rows(splits, count)
        _write(kept, found := np.zeros(0, np.int64) if looked is None else looked)
    names = {split: [f"{split} row {row}" for row in range(len(part))] for split, part in splits.items()}
    return _told(names, found if len(found) else None, source)


def _told(
    names: Mapping[str, Sequence[str]], found: NDArray[np.int64] | None, source: str
) -> dict[str, NDArray[np.int64]]:
    if found is None:
        return {}
    ends = np.cumsum([len(part) for part in names.values()])
    groups = dict(zip(names, np.split(found, ends[:-1]), strict=True))
    warn_of_copies(names, groups, source)
    return groups


def split_together(
    paths: Sequence[Path],
    hashes: Mapping[Path, str],
    labels: Mapping[Path, Collection[Hashable]] | None,
    groups: NDArray[np.int64] | None,
) -> tuple[dict[str, list[Path]], dict[str, NDArray[np.int64]]]:
    """Split as `split_by_hash` does, and return the groups of each split beside its pictures."""
    splits = split_by_hash(paths, hashes, labels, groups)
    if groups is None:
        return splits, {}
    known = dict(zip(paths, groups.tolist(), strict=True))
    return splits, {split: np.array([known[path] for path in part], np.int64) for split, part in splits.items()}


def copies_among(paths: Sequence[Path], hashes: Mapping[Path, str]) -> NDArray[np.int64] | None:
    """Return a number for each picture, which copies of one share; None where none is a copy.

    What looks alike is not asked of more than 200,000 pictures. Names and looks are not believed where a tenth of all
    would be copies of one: a pattern that names all, or a camera that stands still.
    """
    contents = [hashes[path] for path in paths]
    return _groups(paths, contents, None if len(paths) > _MOST else _thumbnails(paths, contents))


def _among_rows(splits: Mapping[str, Sequence[Encoded]], count: int) -> NDArray[np.int64] | None:
    """Return what `copies_among` does, of rows that are each read once; one without a picture is a copy of none."""
    rows = [(split, place) for split, part in splits.items() for place in range(len(part))]

    def look(row: tuple[str, int]) -> tuple[Path, str | None, NDArray[np.uint8] | None]:
        split, place = row
        picture = splits[split][place]
        named = Path(split) / (Path(picture.file).name or f"row {place}")
        digest = hashlib.sha256(picture.content).hexdigest() if picture.content else None
        return named, digest, None if count > _MOST else _thumbnail(picture)

    with strict_pillow(), ThreadPoolExecutor(processors()) as pool:
        paths, contents, thumbnails = zip(*pool.map(look, rows), strict=True)
    return _groups(paths, contents, None if count > _MOST else np.stack(thumbnails))


def _groups(
    paths: Sequence[Path], contents: Sequence[str | None], thumbnails: NDArray[np.uint8] | None
) -> NDArray[np.int64] | None:
    nothing = [None] * len(paths)
    pairs = [] if thumbnails is None else _alike(thumbnails)
    believed = [
        _believed(found) for found in (joined([_made_of(paths)]), joined([nothing], pairs)) if found is not None
    ]
    return joined([contents, *believed])


def alike_images(images: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return pairs of places of images (samples, channels, height, width) that look alike, each once."""
    from PIL import Image

    thumbnails = np.zeros((len(images), _SIDE, _SIDE), np.uint8)
    for place, image in enumerate(images):
        grey = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
        luma = Image.fromarray(grey).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
        thumbnails[place] = np.asarray(luma)
    return sorted({(min(pair), max(pair)) for pair in _alike(thumbnails)})


def _believed(groups: NDArray[np.int64]) -> list[int | None]:
    largest, sizes = max(10, len(groups) // 10), Counter(groups.tolist())
    return [group if sizes[group] <= largest else None for group in groups.tolist()]


def _made_of(paths: Sequence[Path]) -> list[tuple[str, ...] | None]:
    """Return what pictures were made from, by their names: those of one name in one folder, of any split."""
    stems = {path.with_suffix("") for path in paths}
    names = {path: _original(path, stems) for path in paths}
    originals = {path.with_name(name) for path, name in names.items() if name is not None}
    keys: list[tuple[str, ...] | None] = []
    for path in paths:
        name = names[path]
        if name is None and path.with_suffix("") in originals:
            name = path.stem
        folders = [part for part in path.parent.parts if part.lower() not in SPLITS]
        keys.append(None if name is None else (*folders, name))
    return keys


def _original(path: Path, stems: Collection[Path]) -> str | None:
    """Return the name of what a picture was made from; a copy is one where what it copies is there."""
    if made := _MADE.fullmatch(path.stem):
        return made[1]
    copy = _COPY.fullmatch(path.stem)
    return copy[1] if copy and path.with_name(copy[1]) in stems else None


def _thumbnails(paths: Sequence[Path], contents: Sequence[str]) -> NDArray[np.uint8]:
    """Return the mean luma of 16x16 areas of each picture, 0 throughout for broken ones; kept under their hashes."""
    key = hashlib.sha256("".join([_VERSION, *contents]).encode()).hexdigest()
    kept = cache_folder() / "thumbnails" / f"{key}.npy"
    if (found := _read(kept)) is not None and found.shape == (len(paths), _SIDE, _SIDE):
        return found
    with strict_pillow(), ThreadPoolExecutor(processors()) as pool:
        found = np.stack(list(pool.map(_thumbnail, paths, chunksize=_AT_ONCE)))
    _write(kept, found)
    return found


def _read(kept: Path) -> NDArray[Any] | None:
    try:
        found: NDArray[Any] = np.load(kept, allow_pickle=False)
        return found
    except (OSError, ValueError, EOFError):
        return None


def _write(kept: Path, found: NDArray[Any]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, found, allow_pickle=False)
    with storage_errors(f"writing {kept}"):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_file(kept, buffer.getvalue())


def _thumbnail(source: Path | Encoded) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with open_strictly(source) as picture, decoding(source):
            picture.draft("L", (_DRAFT, _DRAFT))  # a JPEG is decoded no larger than it has to be
            grey: Any = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
            return np.asarray(grey, np.uint8)
    except DataError:
        return np.zeros((_SIDE, _SIDE), np.uint8)  # decoding reports it, or leaves it out if it may


def _alike(thumbnails: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """Return the places of pictures that look alike.

    What differs in a few bits agrees in one of four bands of them; of those that agree there, each is compared with the
    64 next in order, so that time grows with the number of pictures alone.
    """
    areas = thumbnails.reshape(len(thumbnails), -1).astype(np.float32)
    areas -= areas.mean(1, keepdims=True)
    length = np.linalg.norm(areas, axis=1, keepdims=True)
    told = np.flatnonzero(length[:, 0] >= _FLAT * _SIDE)  # a deviation of 2 of 255: a plain one is like any other
    areas = areas[told] / length[told]
    bits = _difference_hashes(thumbnails[told])
    found: list[tuple[int, int]] = []
    width = 64 // _BANDS
    for band in range(_BANDS):
        turned = (bits << np.uint64(width * band)) | (bits >> np.uint64((64 - width * band) % 64))
        order = np.argsort(turned, kind="stable")
        key = turned[order] >> np.uint64(64 - width)
        for step in range(1, min(_COMPARED, len(order) - 1) + 1):
            agree = np.flatnonzero(key[:-step] == key[step:])
            if not len(agree):
                break
            one, other = order[agree], order[agree + step]
            near = _set_bits(bits[one] ^ bits[other]) <= _BITS
            one, other = one[near], other[near]
            like = (areas[one] * areas[other]).sum(1) >= _CORRELATION
            found += zip(told[one[like]].tolist(), told[other[like]].tolist(), strict=True)
    return found


def _difference_hashes(thumbnails: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return 64 bits of each picture: which of 8x8 areas are brighter than the one to their left."""
    half = _SIDE // 2
    areas = thumbnails.reshape(-1, half, 2, half, 2).sum((2, 4), dtype=np.int64)
    bits: NDArray[np.uint64] = np.packbits((areas > np.roll(areas, 1, 2)).reshape(-1, 64), 1).view(np.uint64)[:, 0]
    return bits


def _set_bits(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.unpackbits(numbers.view(np.uint8).reshape(-1, 8), axis=1).sum(1, dtype=np.int64)
    return counts
