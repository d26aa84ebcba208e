"""Texts in a folder a class, a file each: `<class>/*.txt`, or `train/<class>/*.txt` with `test/<class>/*.txt`."""

import hashlib
import logging
from collections.abc import Iterator
from pathlib import Path

from zoo.data.hashes import content_hashes
from zoo.data.splitting import SPLITS
from zoo.data.text.columns import Record
from zoo.data.text.dataset import TextDataset
from zoo.data.text.documents import SUFFIXES
from zoo.data.text.records import dataset_of
from zoo.data.text_files import decoded
from zoo.printable import counted

_log = logging.getLogger("zoo")


def has_class_folders(path: Path) -> bool:
    """Tell whether a folder has folders of texts in it, in itself or in one called train."""
    return path.is_dir() and any(True for root in _roots(path).values() for _ in _labelled(root))


def open_class_folders(path: Path) -> TextDataset:
    """Open the texts of a folder, labelled by the folder that each lies in. What is not split is, by hashes."""
    files = {split: list(_labelled(root)) for split, root in _roots(path).items()}
    found = [file for part in files.values() for file, _ in part]
    if bare := [file for root in _roots(path).values() for file in _texts(root) if file.parent == root]:
        _log.warning("left out %s beside class folders, first %s", counted(len(bare), "text"), bare[0])
    hashes = content_hashes(path, found)
    digest = hashlib.sha256(b"class folders")
    rows = {}
    for split, part in files.items():
        rows[split] = [Record(decoded(file.read_bytes(), file).strip(), labels=(label,)) for file, label in part]
        for file, label in part:
            digest.update(f"{split} {label!r} {hashes[file]}\n".encode())
    return dataset_of(rows, name=path.resolve().stem, source=str(path), fingerprint=digest.hexdigest())


def _roots(path: Path) -> dict[str, Path]:
    """Return the folder of each split, or else the folder itself, to be split."""
    named = {SPLITS[inner.name]: inner for inner in sorted(path.iterdir()) if inner.is_dir() and inner.name in SPLITS}
    return named if "train" in named else {"train": path}


def _labelled(root: Path) -> Iterator[tuple[Path, str]]:
    return ((file, file.relative_to(root).parts[0]) for file in _texts(root) if file.parent != root)


def _texts(root: Path) -> Iterator[Path]:
    for file in sorted(root.rglob("*")):
        hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
        if file.suffix in SUFFIXES and file.is_file() and not hidden:
            yield file
