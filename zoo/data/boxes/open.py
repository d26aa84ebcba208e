"""A folder of pictures with boxes as a data set: its layout recognised, its boxes scaled with its pictures."""

import hashlib
import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoo.data.arrays import Boxes
from zoo.data.boxes import coco, table, voc, yolo
from zoo.data.boxes.records import AnnotatedImage, Annotations
from zoo.data.hashes import content_hashes
from zoo.data.images.copies import copies, split_together
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.decoded import Part, open_pictures
from zoo.data.images.orientation import Frame, turned_boxes
from zoo.data.images.pictures import common_form, read_frame
from zoo.errors import DataError
from zoo.files import cache_folder, storage_errors, write_file
from zoo.printable import counted

_VERSION = "1"
_LAYOUTS = (
    "Pascal VOC (JPEGImages, Annotations/*.xml), COCO (annotations/instances_*.json), YOLO (images, labels) or a table "
    "(*.csv with the columns file, class, xmin, ymin, xmax, ymax)"
)
_READERS = (
    (voc.recognizes, voc.read),
    (coco.recognizes, coco.read),
    (yolo.recognizes, yolo.read),
    (table.recognizes, table.read),
)
_log = logging.getLogger("zoo")

Frames = NDArray[np.int64]
"""A row for each picture, as `Frame` has it."""


def open_boxes(
    folder: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: int = 0,
    stream: bool | None = None,
) -> ImageDataset:
    """Open a folder of Pascal VOC, COCO, YOLO or a table, its pictures scaled to one size, or else to the commonest."""
    annotations = _read(folder)
    found, skip_bad = _without_missing(annotations.splits, skip_bad)
    paths = list({item.path for part in found.values() for item in part})
    hashes = content_hashes(folder, paths)
    splits, groups = _split(found, hashes, str(folder))
    if image_size is None or channels is None:
        common_size, common_channels = common_form(sorted(paths))
        image_size, channels = image_size or common_size, channels or common_channels
    digest = hashlib.sha256(repr((_VERSION, image_size, channels)).encode())
    for split, part in sorted(splits.items()):
        for item in part:
            digest.update(f"{split} {item.path.relative_to(folder).as_posix()} {hashes[item.path]}\n".encode())
    pictures = digest.hexdigest()
    frames = {split: _frames(part, hashes) for split, part in splits.items()}
    boxes = _scaled(annotations, splits, frames, image_size)
    digest.update(repr(annotations.classes).encode())
    for split in sorted(splits):
        digest.update(frames[split][:, :2].tobytes() + boxes[split].tobytes())
    parts = {
        split: Part(
            [item.path for item in part], {"boxes": boxes[split], "sizes": frames[split][:, :2]}, groups.get(split)
        )
        for split, part in splits.items()
    }
    return ImageDataset(
        name=folder.resolve().name,
        splits=open_pictures(
            pictures, parts, image_size=image_size, channels=channels, skip_bad=skip_bad, stream=stream
        ),
        classes=annotations.classes,
        license="unknown",
        source=str(folder),
        fingerprint=digest.hexdigest(),
    )


def _read(folder: Path) -> Annotations:
    if not folder.is_dir():
        raise DataError(f"no folder {folder}; give one of {_LAYOUTS}")
    for recognizes, read in _READERS:
        if recognizes(folder):
            return read(folder)
    within = sorted(path for path in folder.iterdir() if path.is_dir())
    fitting = next((path for path in within for recognizes, _ in _READERS if recognizes(path)), None)
    hint = f"; {fitting} is one, give that" if fitting else "; arrange it so"
    raise DataError(f"{folder} is no folder of {_LAYOUTS}{hint}")


def _split(
    splits: Mapping[str, Sequence[AnnotatedImage]], hashes: Mapping[Path, str], source: str
) -> tuple[dict[str, list[AnnotatedImage]], dict[str, NDArray[np.int64]]]:
    """Split what is not split within each class, the lowest hashes of names to test; return copies of one by split.

    A picture counts for its rarest class.
    """
    if "all" not in splits:
        train = {item.path for item in splits.get("train", ())}
        if shared := next((item.path for item in splits["test"] if item.path in train), None):
            raise DataError(f"{shared} is listed for both training and testing, which invalidates the scores; keep one")
    groups = copies({name: [item.path for item in part] for name, part in splits.items()}, hashes, source)
    if "all" not in splits:
        return {name: list(part) for name, part in splits.items()}, groups
    items = {item.path: item for item in splits["all"]}
    if len(items) < 2:
        raise DataError("one image cannot be split into training and test; give two or more")
    names = {path: hashlib.sha256(path.name.encode()).hexdigest() for path in items}
    labels = {path: {box.label for box in item.boxes} for path, item in items.items()}
    paths, groups = split_together(list(items), names, labels, groups.get("all"))
    return {name: [items[path] for path in part] for name, part in paths.items()}, groups


def _without_missing(
    splits: Mapping[str, Sequence[AnnotatedImage]], skip_bad: int
) -> tuple[dict[str, list[AnnotatedImage]], int]:
    """Leave pictures out that are annotated but not there, up to `skip_bad`; return what is left of that."""
    missing = [item for part in splits.values() for item in part if not item.path.is_file()]
    if len(missing) > skip_bad:
        more = f" ({len(missing):,} are missing)" if len(missing) > 1 else ""
        raise DataError(
            f"no picture {missing[0].path}, which {missing[0].source} annotates{more}; "
            "add it, or allow some: --skip-bad N"
        )
    if missing:
        _log.warning("skipped %d annotated images that do not exist, first %s", len(missing), missing[0].path)
    gone = {item.path for item in missing}
    left = {name: [item for item in part if item.path not in gone] for name, part in splits.items()}
    return left, skip_bad - len(missing)


def _frames(part: Sequence[AnnotatedImage], hashes: Mapping[Path, str]) -> Frames:
    """Return the frame of each file, 1 and 1 where it is no picture: decoding reports it, or leaves it out.

    They are kept under the hash of the files, because opening many takes a while.
    """
    key = hashlib.sha256("".join(hashes[item.path] for item in part).encode()).hexdigest()
    kept = cache_folder() / "frames" / f"{key}.npy"
    try:
        frames: Frames = np.load(kept, allow_pickle=False)
    except (OSError, ValueError):
        frames = np.array([_frame(item.path) for item in part], np.int64).reshape(-1, 3)
        buffer = io.BytesIO()
        np.save(buffer, frames, allow_pickle=False)
        with storage_errors(f"writing {kept}"):
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_file(kept, buffer.getvalue())
    for item, row in zip(part, frames.tolist(), strict=True):
        frame = Frame(*row)
        if item.size is not None and item.size not in (frame.size, frame.stored) and frame.size != (1, 1):
            raise DataError(
                f"{item.source} has boxes in a picture of {item.size[1]}x{item.size[0]}, but {item.path} is "
                f"{frame.width}x{frame.height}; annotate the image as it is, or rotate and scale the boxes with it"
            )
    return frames


def _frame(path: Path) -> Frame:
    try:
        return read_frame(path)
    except DataError:
        return Frame(1, 1, 1)


def _scaled(
    annotations: Annotations,
    splits: Mapping[str, Sequence[AnnotatedImage]],
    frames: Mapping[str, Frames],
    image_size: tuple[int, int],
) -> dict[str, Boxes]:
    """Return the boxes of each split (samples, most, 6) in the scaled pictures, cut at their edges.

    Boxes of a picture that its EXIF turns are turned with it where the annotated size is that of the picture as stored.
    """
    left_out: list[str] = []
    assumed: list[str] = []
    found: dict[str, Boxes] = {}
    for split, part in splits.items():
        maximum = max([1, *(len(item.boxes) for item in part)])
        rows = np.zeros((len(part), maximum, 6), np.float32)
        rows[..., 4] = -1
        for place, item in enumerate(part):
            frame = Frame(*frames[split][place].tolist())
            boxes = np.array([tuple(box) for box in item.boxes], np.float64).reshape(-1, 6)
            as_stored = None if item.size is None else frame.as_stored(item.size)
            if as_stored:
                boxes = turned_boxes(boxes, frame)
            elif as_stored is None and frame.orientation > 1 and len(boxes):
                assumed.append(item.source)
            sides = (1, 1) if annotations.in_shares else (frame.width, frame.height)
            limits = np.array([*sides, *sides], np.float64)
            boxes[:, :4] = np.clip(boxes[:, :4], 0, limits) / limits * np.array([image_size[1], image_size[0]] * 2)
            good = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
            if frame.size != (1, 1):
                left_out += [item.source] * int((~good).sum())
            rows[place, : good.sum()] = boxes[good]
        found[split] = rows
    if assumed:
        _log.warning(
            "%d pictures are turned by their EXIF, and nothing tells whether their boxes were drawn before or after: "
            "assumed after, as viewers show them, first in %s",
            len(assumed),
            assumed[0],
        )
    _check(annotations.classes, found, left_out)
    return found


def _check(classes: tuple[str, ...], boxes: Mapping[str, Boxes], left_out: Sequence[str]) -> None:
    if left_out:
        _log.warning(
            "dropped %s without area, or outside of the image, first in %s",
            counted(len(left_out), "box", "boxes"),
            left_out[0],
        )
    if "train" not in boxes:
        return
    labels = boxes["train"][..., 4]
    counts = np.bincount(labels[labels >= 0].astype(np.int64), minlength=len(classes))
    if not counts.any():
        raise DataError("no training picture has a box; annotate some")
    if empty := [name for name, count in zip(classes, counts, strict=True) if not count]:
        more = ", …" if len(empty) > 5 else ""
        _log.warning(
            "%d of %d classes have no box in the training images and will not be detected: %s%s",
            len(empty),
            len(classes),
            ", ".join(empty[:5]),
            more,
        )
