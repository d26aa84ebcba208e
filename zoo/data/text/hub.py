"""Data sets of texts on a Hub: the parquet files of each split, downloaded once and verified."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.data.hub_files import HUB_DATASETS, HubFiles, find_files, open_shown, parse
from zoo.data.text.columns import Columns, Record, hides_labels, records_of
from zoo.data.text.dataset import TextDataset
from zoo.data.text.records import dataset_of
from zoo.data.text.tables import Table, read_table
from zoo.errors import DataError
from zoo.extras import require
from zoo.hub.connection import connect
from zoo.hub.failures import hub_errors


def open_hub_texts(address: str, *, columns: Columns, hub: str | Path | None) -> TextDataset:
    """Open the texts of a Hub's data set. Where there is no split to test on, a fifth of the rows goes there.

    Whole numbers in a column of class labels are told by the names that come with it. A column of translations, as the
    datasets library has them, is one column for each language.
    """
    require(address, "pyarrow", "datasets")
    repo, folder, revision = parse(address)
    with (
        connect(hub) as connection,
        hub_errors(f"datasets/{repo}", revision, connection.name, folder=connection.folder is not None),
    ):

        def read(files: HubFiles) -> tuple[tuple[HubFiles, list[tuple[str, str, Table]]], bool]:
            tables = [
                (split, f"{path.name} of {address}", _told(read_table(path), path))
                for split, paths in files.download(connection).items()
                for path in paths
            ]
            return (files, tables), all(hides_labels(table, columns, where) for _, where, table in tables)

        found = find_files(repo, folder, revision, connection)
        files, tables = open_shown(found, read, address)
    rows: dict[str, list[Record]] = {split: [] for split in files.names}
    several = False
    for split, where, table in tables:
        records, multiple = records_of(table, columns, where)
        rows[split] += records
        several = several or multiple
    names = [files.names[split] for split in files.names]
    known = f"({columns.identity}, {files.commit!r}, {names!r})"
    return dataset_of(
        rows,
        name=repo.rpartition("/")[2],
        source=f"{HUB_DATASETS}{repo}@{files.commit}",
        fingerprint=hashlib.sha256(known.encode()).hexdigest(),
        license=files.license,
        several=several,
    )


def _told(table: Table, path: Path) -> Table:
    """Return a table with labels by their names, and translations in a column for each language."""
    from datasets import ClassLabel, Features
    from pyarrow.parquet import read_schema

    features: dict[str, Any] = Features.from_arrow_schema(read_schema(path))
    found: dict[str, Any] = {}
    for name, values in table.columns.items():
        if isinstance(feature := features.get(name), ClassLabel):
            found[name] = [
                _named(value, feature.names, f"{table.where(row)} of {path}") for row, value in enumerate(values)
            ]
        elif values and isinstance(values[0], dict):
            found |= {key: [value[key] for value in values] for key in values[0]}
        else:
            found[name] = values
    return Table(found)


def _named(value: int | None, names: Sequence[str], where: str) -> str | None:
    """Return what a label is called; None for one that is not there, which -1 stands for."""
    if value is None or value == -1:
        return None
    if not 0 <= value < len(names):
        raise DataError(f"{where} is of class {value}, and there are {len(names)} names; tell its owner")
    return names[value]
