"""A folder of pictures as a data set: decoded once, kept as uint8 arrays under the hash of its contents.

Four forms: `train/<class>/*` with `test/<class>/*`, and perhaps `val/<class>/*`; `<class>/*`; pictures with a table of
labels (`label_table`); and pictures alone, without labels. What says nothing of splits is split 80 to 20 by the hash of
each picture.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo.data.arrays import Labels
from zoo.data.hashes import content_hashes
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.decoded import Part, open_pictures
from zoo.data.images.label_table import read_label_table
from zoo.data.images.pictures import STRETCHED, SUFFIXES, Scaling, common_form
from zoo.data.splitting import split_by_hash, with_test
from zoo.errors import DataError

_VERSION = "2"


def open_image_folder(
    folder: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    scaling: Scaling = STRETCHED,
    skip_bad: int = 0,
    stream: bool | None = None,
) -> ImageDataset:
    """Open a folder of pictures, all scaled to one size: the one asked for, or the most common one."""
    table = read_label_table(folder)
    paths = dict(table.paths) if table else {s: _pictures(part) for s, part in _split_folders(folder).items()}
    found = [path for part in paths.values() for path in part]
    if not found:
        raise DataError(f"no pictures in {folder}; put them there, labelled ones as {folder}/train/<class>/*.png")
    hashes = content_hashes(folder, found)
    classes = table.classes if table else _classes(folder, paths)
    if set(paths) == {"all"}:
        paths = split_by_hash(paths["all"], hashes, table.labels if table else None)
    if image_size is None or channels is None:
        common_size, common_channels = common_form(found)
        image_size, channels = image_size or common_size, channels or common_channels
    form = (_VERSION, image_size, channels, classes, *([] if scaling == STRETCHED else [scaling]))
    digest = hashlib.sha256(repr(form).encode())
    for split, part in sorted(paths.items()):
        for path in part:
            digest.update(f"{split} {path.relative_to(folder).as_posix()} {hashes[path]}\n".encode())
            if table:
                digest.update(f"{table.several} {table.labels[path]}\n".encode())
    parts = {}
    for split, part in paths.items():
        labels = table.targets(part) if table else _labels_by_folder(part, classes)
        parts[split] = Part(part, {"labels": labels} if classes else {})
    return ImageDataset(
        name=folder.resolve().name,
        splits=open_pictures(
            digest.hexdigest(),
            parts,
            image_size=image_size,
            channels=channels,
            scaling=scaling,
            skip_bad=skip_bad,
            stream=stream,
        ),
        classes=classes,
        licence="unknown",
        source=str(folder),
        fingerprint=digest.hexdigest(),
    )


def _labels_by_folder(paths: list[Path], classes: tuple[str, ...]) -> Labels:
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places[path.parent.name] for path in paths] if classes else [], np.int64)


def _split_folders(folder: Path) -> dict[str, Path]:
    named = (("train", "train"), ("test", "test"), ("validation", "validation"), ("val", "validation"))
    found = with_test({split: folder / name for name, split in named if (folder / name).is_dir()})
    if "train" not in found:
        return {"all": folder}
    if "test" not in found:
        raise DataError(f"{folder} has a folder train but none named test; add one, or put the classes into {folder}")
    return found


def _pictures(folder: Path) -> list[Path]:
    """Return the pictures of a folder and its class folders, sorted, so that the order is that of no file system."""
    entries = list(_visible(folder))
    entries += [inner for entry in entries if entry.is_dir() for inner in _visible(Path(entry.path))]
    return sorted(Path(entry.path) for entry in entries if entry.name.lower().endswith(SUFFIXES) and entry.is_file())


def _visible(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if not entry.name.startswith("."))


def _classes(folder: Path, paths: dict[str, list[Path]]) -> tuple[str, ...]:
    roots = _split_folders(folder)
    names = {path.parent.name for split, part in paths.items() for path in part if path.parent != roots[split]}
    bare = [path for split, part in paths.items() for path in part if path.parent == roots[split]]
    if names and bare:
        raise DataError(f"{bare[0]} is beside class folders; move it into one of them, or remove the folders")
    return tuple(sorted(names))
