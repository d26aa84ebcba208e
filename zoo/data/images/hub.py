"""Picture data sets of a Hub, read by the datasets library."""

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.hub_files import HUB_DATASETS, HubFiles, find_files, parse
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.decoded import Part, open_pictures
from zoo.data.images.hub_tables import Table, downloaded_tables, passing_tables
from zoo.data.images.pictures import STRETCHED, Scaling, common_form
from zoo.data.memory import fits_in_cache
from zoo.errors import DataError
from zoo.hub.connection import connect
from zoo.hub.failures import hub_errors

_VERSION = "1"
_EVERY = 5


def open_hub_dataset(
    address: str,
    *,
    hub: str | Path | None = None,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    scaling: Scaling = STRETCHED,
    skip_bad: int = 0,
    stream: bool | None = None,
    download: bool | None = None,
) -> ImageDataset:
    """Open the pictures of a Hub's data set, all scaled to one size.

    The columns are known by their features: the first of pictures, and the first of class labels. Where there is no
    split to test on, every fifth sample goes there. Files are downloaded once and verified. Without `download` they
    pass by once and are decoded on the way; None does so where the disk has no room for them.
    """
    if find_spec("datasets") is None:
        raise DataError(f"{address} needs the data extra: pip install 'zoo-hub[data]'")
    repo, folder, revision = parse(address)
    with connect(hub) as connection, hub_errors(f"datasets/{repo}", revision, connection.url):
        files = find_files(repo, folder, revision, connection)
        if download is None:
            download = bool(stream) or fits_in_cache(2 * files.num_bytes)  # as parquet and as a table
        tables = downloaded_tables(files, connection) if download else passing_tables(files, connection)
        return _open(address, files, tables, image_size, channels, scaling, skip_bad, stream if download else False)


def _open(
    address: str,
    files: HubFiles,
    tables: Mapping[str, Table],
    image_size: tuple[int, int] | None,
    channels: int | None,
    scaling: Scaling,
    skip_bad: int,
    stream: bool | None,
) -> ImageDataset:
    picture = _picture_column(tables["train"].features, address)
    label, classes = _label_column(tables["train"])
    parts = {}
    for name, places in _places({split: len(table) for split, table in tables.items()}).items():
        table = tables.get(name, tables["train"])
        targets = {"labels": table.labels(label)[places]} if label else {}
        parts[name] = Part(table.pictures(picture, places, f"{address} {name}"), targets)
    if image_size is None or channels is None:
        common_size, common_channels = common_form(tables["train"].some_pictures(picture, address))
        image_size, channels = image_size or common_size, channels or common_channels
    form = (image_size, channels, *([] if scaling == STRETCHED else [scaling]))
    key = repr((_VERSION, files.repo, files.folder, files.commit, picture, label, classes, *form))
    fingerprint = hashlib.sha256(key.encode()).hexdigest()
    return ImageDataset(
        name=files.repo.rpartition("/")[2],
        splits=open_pictures(
            fingerprint,
            parts,
            image_size=image_size,
            channels=channels,
            scaling=scaling,
            skip_bad=skip_bad,
            stream=stream,
        ),
        classes=classes,
        licence=files.licence,
        source=f"{HUB_DATASETS}{files.repo}@{files.commit}",
        fingerprint=fingerprint,
    )


def _places(sizes: Mapping[str, int]) -> dict[str, NDArray[np.int64]]:
    """Return which rows make up each split."""
    if "test" in sizes:
        return {name: np.arange(size) for name, size in sizes.items()}
    rows = np.arange(sizes["train"])
    return {"train": rows[rows % _EVERY != _EVERY - 1], "test": rows[rows % _EVERY == _EVERY - 1]}


def _picture_column(features: Mapping[str, Any], address: str) -> str:
    from datasets import Image

    for name, feature in features.items():
        if isinstance(feature, Image) or (isinstance(feature, dict) and feature.keys() == {"bytes", "path"}):
            return name
    raise DataError(f"{address} has no column of pictures, but {', '.join(features)}; choose other data")


def _label_column(table: Table) -> tuple[str | None, tuple[str, ...]]:
    """Return the column of labels and the names of the classes; whole numbers in `label` are named by themselves."""
    from datasets import ClassLabel

    for name, feature in table.features.items():
        if isinstance(feature, ClassLabel):
            return name, tuple(feature.names)
    if "label" not in table.features or not str(table.features["label"].dtype).startswith(("int", "uint")):
        return None, ()
    return "label", tuple(map(str, range(int(table.labels("label").max()) + 1)))
