"""Picture data sets of a Hub, read by the datasets library."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.dataset import ImageDataset, Labels
from zoo.data.decoded import Part, open_pictures
from zoo.data.hub_files import HUB_DATASETS, download
from zoo.data.pictures import Encoded, common_form
from zoo.errors import DataError
from zoo.paths import cache_folder

_VERSION = "1"
_EVERY = 5


def open_hub_dataset(
    address: str,
    *,
    hub: str | Path | None = None,
    image_size: tuple[int, int] | None = None,
    channels: int | None = None,
    skip_bad: int = 0,
    stream: bool | None = None,
) -> ImageDataset:
    """Open the pictures of a Hub's data set, downloaded once and verified, all scaled to one size.

    The columns are known by their features: the first of pictures, and the first of class labels. Where there is no
    split to test on, every fifth sample goes there.
    """
    try:
        import datasets
    except ImportError:
        raise DataError(f"{address} needs the data extra: pip install 'zoo-hub[data]'") from None
    files = download(address, hub)
    tables = datasets.load_dataset(
        "parquet",
        data_files=dict(files.paths),
        cache_dir=str(cache_folder() / "datasets"),
        verification_mode="no_checks",
    )
    features = tables["train"].features
    picture = _picture_column(features, address)
    label, classes = _label_column(tables["train"])
    parts = {}
    for name, places in _places({split: len(table) for split, table in tables.items()}).items():
        table = tables[name if name in tables else "train"]
        column = _Pictures(table, picture, places, f"{address} {name}")
        parts[name] = Part(column, _labels(table, label, places) if label else None)
    if image_size is None or channels is None:
        common_size, common_channels = common_form(parts["train"].sources)
        image_size, channels = image_size or common_size, channels or common_channels
    key = repr((_VERSION, files.repo, files.folder, files.commit, picture, label, classes, image_size, channels))
    fingerprint = hashlib.sha256(key.encode()).hexdigest()
    return ImageDataset(
        name=files.repo.rpartition("/")[2],
        splits=open_pictures(
            fingerprint, parts, image_size=image_size, channels=channels, skip_bad=skip_bad, stream=stream
        ),
        classes=classes,
        licence=files.licence,
        source=f"{HUB_DATASETS}{files.repo}@{files.commit}",
        fingerprint=fingerprint,
    )


class _Pictures(Sequence[Encoded]):
    """A column of encoded pictures, each read from the table when it is asked for."""

    def __init__(self, table: Any, column: str, places: NDArray[np.int64], name: str) -> None:
        from datasets import Image

        feature = table.features[column]
        self._table = table.cast_column(column, Image(decode=False)) if isinstance(feature, Image) else table
        self._table = self._table.select_columns([column])
        self._column = column
        self._places = places
        self._name = name

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self[at] for at in range(*place.indices(len(self)))]
        row = self._table[int(self._places[place])][self._column]
        return Encoded(f"{self._name} row {place}", (row or {}).get("bytes") or b"")


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


def _label_column(table: Any) -> tuple[str | None, tuple[str, ...]]:
    """Return the column of labels and the names of the classes; whole numbers in `label` are named by themselves."""
    from datasets import ClassLabel

    for name, feature in table.features.items():
        if isinstance(feature, ClassLabel):
            return name, tuple(feature.names)
    if "label" not in table.features or not str(table.features["label"].dtype).startswith(("int", "uint")):
        return None, ()
    return "label", tuple(map(str, range(int(max(table["label"])) + 1)))


def _labels(table: Any, column: str, places: NDArray[np.int64]) -> Labels:
    return np.asarray(table.with_format("numpy")[column][:], np.int64)[places]
