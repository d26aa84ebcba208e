"""Picture data sets of a Hub, read by the datasets library."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from zoo.data.arrays import Labels
from zoo.data.hub_files import HUB_DATASETS, HubFiles, find_files, open_shown, parse
from zoo.data.images.copies import copies_in_tables
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.decoded import Part, open_pictures, whole_size
from zoo.data.images.form import ImageForm
from zoo.data.images.hub_labels import HubLabels, read_labels
from zoo.data.images.hub_tables import Table, downloaded_tables, passing_tables
from zoo.data.images.pictures import common_form
from zoo.data.images.scaling import STRETCHED
from zoo.data.memory import fits_in_cache
from zoo.data.splitting import scoring, stratified, with_test
from zoo.errors import DataError
from zoo.extras import require
from zoo.hub.connection import connect
from zoo.hub.failures import hub_errors

_VERSION = "1"
_EVERY = 5


def open_hub_dataset(
    address: str, *, hub: str | Path | None = None, download: bool | None = None, **form: Unpack[ImageForm]
) -> ImageDataset:
    """Open the pictures of a Hub's data set, all scaled to one size.

    The columns are known by their features: the first of pictures, and the first of class labels. Where there is no
    split to test on, every fifth sample goes there, or a fifth of each class. Files are downloaded once and verified.
    Without `download` they pass by once and are decoded on the way; None does so where the disk has no room for them.
    Photographs are whole for training, and copies of one picture stay together, only where they are downloaded.
    """
    require(address, "datasets")
    repo, folder, revision = parse(address)
    with (
        connect(hub) as connection,
        hub_errors(f"datasets/{repo}", revision, connection.name, folder=connection.folder is not None),
    ):

        def tables_of(files: HubFiles) -> tuple[tuple[Mapping[str, Table], HubLabels, bool], bool]:
            # as parquet and as a table
            kept = (bool(form.get("stream")) or fits_in_cache(2 * files.num_bytes)) if download is None else download
            tables = downloaded_tables(files, connection) if kept else passing_tables(files, connection)
            labels = read_labels(tables, address)
            return (tables, labels, kept), labels.hidden

        files = find_files(repo, folder, revision, connection)
        tables, labels, kept = open_shown(files, tables_of, address)
        if not kept:
            form |= {"stream": False, "crops": False}
        return _open(address, files, tables, labels, form, kept=kept)


def _open(
    address: str, files: HubFiles, tables: Mapping[str, Table], labels: HubLabels, asked: ImageForm, *, kept: bool
) -> ImageDataset:
    picture = _picture_column(next(iter(tables.values())).features, address)
    tables = with_test({split: table for split, table in tables.items() if labels.shown(split)})
    targets = None if labels.targets is None else with_test(labels.targets)
    first = next(iter(tables.values()))
    sizes = {split: len(table) for split, table in tables.items()}
    groups = _copies(address, files, tables, picture) if kept else {}
    indices = _places(sizes, None if targets is None else targets.get("train"), groups.get("train"), address)
    parts = {}
    for name, rows in indices.items():
        split = name if name in tables else "train"
        known = {} if targets is None else {"labels": targets[split][rows]}
        alike = groups[split][rows] if split in groups else None
        parts[name] = Part(tables[split].pictures(picture, rows, f"{address} {name}"), known, alike)
    image_size, channels, whole = asked.get("image_size"), asked.get("channels"), None
    scaling, crops = asked.get("scaling", STRETCHED), asked.get("crops", False)
    if image_size is None or channels is None or crops:
        common_size, common_channels = common_form(first.some_pictures(picture, address))
        image_size, channels = image_size or common_size, channels or common_channels
        whole = whole_size(common_size, image_size) if crops else None
    divided = "test" not in tables and targets is not None  # where earlier versions drew otherwise
    together = "test" not in tables and bool(groups)
    asides = (("scored", scoring()), ("by class", divided), ("copies together", together))
    more = [name for name, holds in asides if holds]
    form = (image_size, channels, *([] if scaling == STRETCHED else [scaling]), *more)
    key = repr((_VERSION, files.repo, files.folder, files.commit, picture, labels.column, labels.classes, *form))
    fingerprint = hashlib.sha256(key.encode()).hexdigest()
    return ImageDataset(
        name=files.repo.rpartition("/")[2],
        splits=open_pictures(
            fingerprint,
            parts,
            image_size=image_size,
            channels=channels,
            scaling=scaling,
            skip_bad=asked.get("skip_bad", 0),
            stream=asked.get("stream"),
            whole=whole,
        ),
        classes=labels.classes,
        license=files.license,
        source=f"{HUB_DATASETS}{files.repo}@{files.commit}",
        fingerprint=fingerprint,
    )


def _copies(address: str, files: HubFiles, tables: Mapping[str, Table], picture: str) -> dict[str, NDArray[np.int64]]:
    """Return by split which rows are copies of one picture; those that pass by once cannot be looked at before."""
    rows = {split: table.pictures(picture, np.arange(len(table)), address) for split, table in tables.items()}
    return copies_in_tables(rows, repr((files.repo, files.folder, files.commit, picture, sorted(rows))), address)


def _places(
    sizes: Mapping[str, int], labels: Labels | None, groups: NDArray[np.int64] | None, address: str
) -> dict[str, NDArray[np.int64]]:
    """Return which rows make up each split: every fifth to test, or with labels a fifth of each class.

    `groups` are those of the training rows, of which copies stay together.
    """
    if "test" in sizes:
        return {name: np.arange(size) for name, size in sizes.items()}
    rows = np.arange(sizes["train"])
    test = rows % _EVERY == _EVERY - 1
    if labels is not None or groups is not None:
        ranked = rows[np.argsort(~test, kind="stable")].tolist()
        known = [() for _ in ranked] if labels is None else [(label,) for label in labels.tolist()]
        test = np.isin(rows, list(stratified(ranked, known, address, groups=groups)))
    return {"train": rows[~test], "test": rows[test]}


def _picture_column(features: Mapping[str, Any], address: str) -> str:
    from datasets import Image

    for name, feature in features.items():
        if isinstance(feature, Image) or (isinstance(feature, dict) and feature.keys() == {"bytes", "path"}):
            return name
    raise DataError(f"{address} has no column of pictures, but {', '.join(features)}; choose other data")
