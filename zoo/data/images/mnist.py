"""Fashion-MNIST, MNIST, and the sample of Fashion-MNIST that ships with Zoo."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.data.images.dataset import ImageDataset, ImageSplit, fingerprint
from zoo.data.images.idx import read_idx
from zoo.data.places import not_found, search_path
from zoo.errors import DataError, ZooError
from zoo.extras import needed

CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
DIGITS = tuple("0123456789")
_FASHION_FOLDERS = ("fashion-mnist", "fashion_mnist", "FashionMNIST/raw")
_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
_ELSE = {"fashion_mnist": " (Debian: apt install dataset-fashion-mnist), or use --data fashion_mnist_sample"}


def fashion_mnist(data_dir: Path | None) -> ImageDataset:
    """Open Fashion-MNIST from idx files."""
    return _open("fashion_mnist", CLOTHES, "MIT", data_dir, _FASHION_FOLDERS, "zalando-datasets/fashion_mnist")


def find_fashion_mnist() -> Path | None:
    """Return where all of Fashion-MNIST lies on this machine, or None."""
    places = search_path(None, _FASHION_FOLDERS)
    return next((folder for folder in places if _find(folder, _FILES["train"][0])), None)


def mnist(data_dir: Path | None) -> ImageDataset:
    """Open MNIST from idx files."""
    return _open("mnist", DIGITS, "unknown", data_dir, ("mnist", "MNIST/raw"), "ylecun/mnist")


def fashion_mnist_sample(data_dir: Path | None) -> ImageDataset:
    """Open the sample that lies beside this file."""
    folder = Path(__file__).parent / "fashion_mnist_sample"
    return _read("fashion_mnist_sample", CLOTHES, "MIT", folder)


def is_idx_folder(folder: Path) -> bool:
    """Tell whether a folder has the idx files of MNIST, or of a set like it."""
    return _find(folder, _FILES["train"][0]) is not None


def open_idx_folder(folder: Path) -> ImageDataset:
    """Open the idx files of a folder; classes are called by their numbers, those that training images have."""
    return _read(folder.resolve().name, (), "unknown", folder)


def _open(
    name: str, classes: tuple[str, ...], license: str, data_dir: Path | None, subfolders: tuple[str, ...], repo: str
) -> ImageDataset:
    places = search_path(data_dir, subfolders)
    for folder in places:
        if _find(folder, _FILES["train"][0]):
            return _read(name, classes, license, folder)
    if data_dir is None and (found := _from_hub(repo, name, classes, license)):
        return found
    hub = "" if data_dir else f", and the Hub did not give it ({needed('which', 'datasets')})"
    raise DataError(
        f"{not_found(name, data_dir, subfolders)}{hub}; "
        f"put its idx files into a folder and pass --data-dir FOLDER{_ELSE.get(name, '')}"
    )


def _read(name: str, classes: tuple[str, ...], license: str, folder: Path) -> ImageDataset:
    splits = {}
    for split, files in _FILES.items():
        paths = [_find(folder, file) or folder / file for file in files]
        images, labels = (read_idx(path) for path in paths)
        if images.ndim != 3 or labels.ndim != 1:
            raise DataError(f"{paths[0]} holds no grey images with labels; get the data set again")
        splits[split] = ImageSplit(images[:, None], labels.astype(np.int64))
    if not classes:
        classes, splits = _numbered(splits, folder)
    return ImageDataset(
        name=name,
        splits=splits,
        classes=classes,
        license=license,
        source=str(folder),
        fingerprint=fingerprint(splits, classes),
    )


def _numbered(splits: Mapping[str, ImageSplit], folder: Path) -> tuple[tuple[str, ...], dict[str, ImageSplit]]:
    """Return the numbers of the training images as classes, and the splits with labels that are their places."""
    known = np.unique(splits["train"].targets["labels"])
    found = {}
    for name, split in splits.items():
        labels = split.targets["labels"]
        if (strange := labels[~np.isin(labels, known)]).size:
            raise DataError(f"{folder} has {name} images of class {strange[0]}, which no training image has; check it")
        found[name] = replace(split, labels=np.searchsorted(known, labels).astype(np.int64))
    return tuple(map(str, known.tolist())), found


def _find(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _from_hub(repo: str, name: str, classes: tuple[str, ...], license: str) -> ImageDataset | None:
    """Download the data set from the Hub, where it lies as parquet; None where the Hub cannot be reached."""
    from zoo.data.hub_files import HUB_DATASETS
    from zoo.data.images.hub import open_hub_dataset

    try:
        found = open_hub_dataset(f"{HUB_DATASETS}{repo}", stream=False)
    except ZooError:
        return None
    return replace(found, name=name, classes=classes, license=license, fingerprint=fingerprint(found.splits, classes))
