"""The tables of a Hub's data set: downloaded, with every row at hand, or passing by once."""

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from zoo.data.hub_files import HubFiles
from zoo.data.images.pictures import Encoded
from zoo.errors import DataError
from zoo.files import cache_folder
from zoo.hub.connection import Connection

_LOOKED_AT = 200
_ROWS_AT_ONCE = 64


class Table(Protocol):
    """The rows of a split. `features` are those of the datasets library, by column."""

    features: Mapping[str, Any]

    def __len__(self) -> int: ...

    def labels(self, column: str) -> list[Any]:
        """Return a column of labels, by the names that each file gives them; None where a row has none."""
        ...

    def pictures(self, column: str, indices: NDArray[np.int64], name: str) -> Sequence[Encoded]:
        """Return the encoded pictures of these rows."""
        ...

    def some_pictures(self, column: str, name: str) -> Sequence[Encoded]:
        """Return a few pictures to tell the common form by."""
        ...


def downloaded_tables(files: HubFiles, connection: Connection) -> dict[str, Table]:
    """Download the files, and have the datasets library map them into memory."""
    paths = {split: list(map(str, paths)) for split, paths in files.download(connection).items()}
    return {split: _DownloadedTable(table, paths[split]) for split, table in mapped(files, paths).items()}


def mapped(files: HubFiles, paths: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
    """Return the tables of downloaded files, as the datasets library maps them into memory."""
    import datasets

    cache = str(cache_folder() / "datasets")
    with _readable(files):
        tables: Mapping[str, Any] = datasets.load_dataset(
            "parquet", data_files=dict(paths), cache_dir=cache, verification_mode="no_checks"
        )
    return tables


def passing_tables(files: HubFiles, connection: Connection) -> dict[str, Table]:
    """Open the files where they are; only what is asked for is read."""
    from huggingface_hub import HfFileSystem
    from pyarrow.parquet import ParquetFile

    filesystem = HfFileSystem(endpoint=connection.url, token=connection.token)
    with _readable(files):
        return {
            split: _PassingTable([ParquetFile(filesystem.open(address, "rb")) for address in files.addresses(split)])
            for split in files.names
        }


@contextmanager
def _readable(files: HubFiles) -> Iterator[None]:
    from datasets.exceptions import DatasetsError
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, DatasetsError) as error:
        reason = str(error.__cause__ or error).partition("\n")[0]
        raise DataError(
            f"{files.repo} at {files.commit} has a parquet file that cannot be read: {reason}; choose another revision"
        ) from None


class _DownloadedTable:
    def __init__(self, table: Any, paths: Sequence[str]) -> None:
        self._table = table
        self._paths = paths
        self.features: Mapping[str, Any] = table.features

    def __len__(self) -> int:
        return len(self._table)

    def labels(self, column: str) -> list[Any]:
        from pyarrow.parquet import ParquetFile

        return [label for path in self._paths for label in _labels(ParquetFile(path), column)]

    def pictures(self, column: str, indices: NDArray[np.int64], name: str) -> Sequence[Encoded]:
        return _Rows(self._table, column, indices, name)

    def some_pictures(self, column: str, name: str) -> Sequence[Encoded]:
        return _Rows(self._table, column, np.arange(0, len(self), max(1, len(self) // _LOOKED_AT)), name)


class _Rows(Sequence[Encoded]):
    """A column of encoded pictures, each read from the table when it is asked for."""

    def __init__(self, table: Any, column: str, indices: NDArray[np.int64], name: str) -> None:
        from datasets import Image

        encoded = isinstance(table.features[column], Image)
        table = table.cast_column(column, Image(decode=False)) if encoded else table
        self._table = table.select_columns([column])
        self._column = column
        self._indices = indices
        self._name = name

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, place: Any) -> Any:
        row = int(self._indices[place])
        return _encoded(self._table[row][self._column], self._name, row)


class _PassingTable:
    def __init__(self, files: Sequence[Any]) -> None:
        from datasets import Features

        self._files = files
        self.features: Mapping[str, Any] = Features.from_arrow_schema(files[0].schema_arrow)

    def __len__(self) -> int:
        return sum(file.metadata.num_rows for file in self._files)

    def labels(self, column: str) -> list[Any]:
        return [label for file in self._files for label in _labels(file, column)]

    def pictures(self, column: str, indices: NDArray[np.int64], name: str) -> Sequence[Encoded]:
        return _PassingRows(self._rows(column, name), indices)

    def some_pictures(self, column: str, name: str) -> Sequence[Encoded]:
        return list(islice(self._rows(column, name), _LOOKED_AT))

    def _rows(self, column: str, name: str) -> Iterator[Encoded]:
        place = 0
        for file in self._files:
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=[column]):
                for value in batch.column(0).to_pylist():
                    yield _encoded(value, name, place)
                    place += 1


class _PassingRows(Sequence[Encoded]):
    """Give every picture once, to several threads that ask for them nearly in order."""

    def __init__(self, rows: Iterator[Encoded], indices: NDArray[np.int64]) -> None:
        self._rows = enumerate(rows)
        self._wanted = {int(row): place for place, row in enumerate(indices)}
        self._waiting: dict[int, Encoded] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._wanted)

    def __getitem__(self, place: Any) -> Any:
        with self._lock:
            while place not in self._waiting:
                row, picture = next(self._rows)
                if row in self._wanted:
                    self._waiting[self._wanted[row]] = picture
            return self._waiting.pop(place)


def _labels(file: Any, column: str) -> list[Any]:
    """Return the labels of one file: numbers are told by its own names, which may be others than the next file's."""
    from datasets import ClassLabel, Features

    feature = Features.from_arrow_schema(file.schema_arrow).get(column)
    if feature is None:
        return [None] * int(file.metadata.num_rows)
    values: list[Any] = file.read(columns=[column])[column].to_pylist()
    if not isinstance(feature, ClassLabel):
        return [None if isinstance(value, float) and math.isnan(value) else value for value in values]
    return [feature.names[value] if value is not None and 0 <= value < len(feature.names) else None for value in values]


def _encoded(value: Mapping[str, Any] | None, name: str, row: int) -> Encoded:
    value = value or {}
    return Encoded(f"{name} row {row}", value.get("bytes") or b"", value.get("path") or "")
