"""The rows of a Hub's data set as they are stored: what a modality reads that has neither images nor texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.hub_files import HUB_DATASETS, find_files, parse
from zoo.data.images.hub_tables import mapped
from zoo.extras import require
from zoo.hub.connection import connect
from zoo.hub.failures import hub_errors


@dataclass(frozen=True, kw_only=True)
class HubTables:
    """Splits as tables of the datasets library, which decode nothing: of a sound or an image a row has its bytes."""

    name: str
    source: str
    license: str
    splits: Mapping[str, Any]


def hub_tables(address: str, hub: str | Path | None = None) -> HubTables:
    """Download the parquet files of `hf://datasets/org/name[/folder][@revision]`, verify them, and return their tables.

    Where there is no split to test on, that to validate on is it.
    """
    require(address, "datasets")
    repo, folder, revision = parse(address)
    with connect(hub) as connection, hub_errors(f"datasets/{repo}", revision, connection.url):
        files = find_files(repo, folder, revision, connection)
        paths = {split: list(map(str, paths)) for split, paths in files.download(connection).items()}
        tables = mapped(files, paths)
    return HubTables(
        name=repo.rpartition("/")[2],
        source=f"{HUB_DATASETS}{repo}@{files.commit}",
        license=files.license,
        splits={split: _undecoded(table) for split, table in tables.items()},
    )


def _undecoded(table: Any) -> Any:
    for name, feature in table.features.items():
        if getattr(feature, "decode", False):
            table = table.cast_column(name, type(feature)(decode=False))
    return table
