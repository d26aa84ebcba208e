"""A folder of pictures as a data set: decoded once, kept as uint8 arrays under the hash of its contents.

Four forms: `train/<class>/*` with `test/<class>/*`, and perhaps `valid/<class>/*`; `<class>/*`; pictures with a table
of labels (`label_table`); and pictures alone, without labels. Pictures may lie deeper within the folder of their class.
What says nothing of splits is split 80 to 20 within each class by the hash of each picture, copies of one together.
"""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from zoo.data.arrays import Labels
from zoo.data.hashes import content_hashes
from zoo.data.images.copies import copies, split_together
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.decoded import Part, open_pictures, whole_size
from zoo.data.images.label_table import read_label_table
from zoo.data.images.listing import pictures_below, unread_in
from zoo.data.images.pictures import common_form
from zoo.data.images.scaling import STRETCHED, Scaling
from zoo.data.splitting import scoring, split_folders, with_test
from zoo.errors import DataError

_VERSION = "2"
_log = logging.getLogger("zoo")


def open_image_folder(
    folder: Path,
    *,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    scaling: Scaling = STRETCHED,
    skip_bad: int = 0,
    stream: bool | None = None,
    crops: bool = False,
) -> ImageDataset:
    """Open a folder of pictures, all scaled to one size: the one asked for, or the most common one.

    With `crops` training gets photographs whole, to cut parts out of.
    """
    table = read_label_table(folder)
    roots = {} if table else _roots(folder)
    paths = dict(table.paths) if table else {split: pictures_below(root) for split, root in roots.items()}
    found = [path for part in paths.values() for path in part]
    unread = unread_in(folder)
    if not found:
        but = unread and f", but {unread}"
        raise DataError(f"no pictures in {folder}{but}; put them there, labelled ones as {folder}/train/<class>/*.png")
    if unread:
        _log.warning("left out of %s: %s", folder, unread)
    hashes = content_hashes(folder, found)
    by_folder = {path: _class(path, roots[split]) for split, part in paths.items() for path in part if not table}
    classes = table.classes if table else _classes(by_folder, roots)
    groups = copies(paths, hashes, str(folder))
    if set(paths) == {"all"}:
        # a class stays in both splits, however many folders its pictures lie in
        labels = table.labels if table else {path: (name,) for path, name in by_folder.items()} if classes else None
        paths, groups = split_together(paths["all"], hashes, labels, groups.get("all"))
    whole = None
    if image_size is None or channels is None or crops:
        common_size, common_channels = common_form(found)
        image_size, channels = image_size or common_size, channels or common_channels
        whole = whole_size(common_size, image_size) if crops else None
    form = (_VERSION, image_size, channels, classes, *([] if scaling == STRETCHED else [scaling]))
    digest = hashlib.sha256(repr(form).encode())
    for split, part in sorted(paths.items()):
        for path in part:
            digest.update(f"{split} {path.relative_to(folder).as_posix()} {hashes[path]}\n".encode())
            if table:
                digest.update(f"{table.several} {table.labels[path]}\n".encode())
    parts = {}
    for split, part in paths.items():
        targets = table.targets(part) if table else _labels_by_folder([by_folder[path] for path in part], classes)
        parts[split] = Part(part, {"labels": targets} if classes else {}, groups.get(split))
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
            whole=whole,
        ),
        classes=classes,
        license="unknown",
        source=str(folder),
        fingerprint=digest.hexdigest(),
    )


def _labels_by_folder(names: list[str | None], classes: tuple[str, ...]) -> Labels:
    indices = {name: place for place, name in enumerate(classes)}
    return np.array([indices[name] for name in names if name is not None], np.int64)


def _roots(folder: Path) -> dict[str, Path]:
    """Return the folder of each split, or of all pictures where they are to be split."""
    found = with_test(split_folders(folder))
    if scoring():
        return {"test": found.get("test", folder)}
    if {"train", "test"} <= found.keys() or not found:
        return found or {"all": folder}
    others = [inner for inner in folder.iterdir() if inner.is_dir() and inner not in found.values()]
    if any(pictures_below(inner) for inner in others if not inner.name.startswith(".")):
        return {"all": folder}  # a class may be called train
    if "train" in found:
        return {"all": found["train"]}
    raise DataError(f"{folder} has no folder train beside {found['test'].name}; add one, or give that folder alone")


def _class(path: Path, root: Path) -> str | None:
    """Return the folder of the class that a picture lies in, the first below that of its split."""
    within = path.relative_to(root).parts
    return within[0] if len(within) > 1 else None


def _classes(by_folder: Mapping[Path, str | None], roots: Mapping[str, Path]) -> tuple[str, ...]:
    names = {name for name in by_folder.values() if name is not None}
    if names and (bare := next((path for path, name in by_folder.items() if name is None), None)):
        raise DataError(f"{bare} is beside class folders; move it into one of them, or remove the folders")
    deep = [
        path for path, name in by_folder.items() if path.parent.name != name or path.parent.parent not in roots.values()
    ]
    if names and deep:
        _log.warning(
            "%d of %d pictures lie deeper than <class>/, first %s; each is of the class whose folder is at the top",
            len(deep),
            len(by_folder),
            deep[0],
        )
    return tuple(sorted(names))
