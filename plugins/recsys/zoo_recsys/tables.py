"""Tables of interactions: CSV, TSV, parquet, and the `.inter` files of RecBole, read in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv, parquet

import zoo
from zoo.commands.output import counted
from zoo_recsys.options import InteractionOptions
from zoo_recsys.rows import Rows, ordered, thinned

SUFFIXES = (".csv", ".tsv", ".inter", ".parquet")
_KNOWN = {
    "user": ("user", "user_id", "userid", "uid", "reviewer_id", "customer_id"),
    "item": (
        "item",
        "item_id",
        "itemid",
        "iid",
        "movie_id",
        "movieid",
        "parent_asin",
        "asin",
        "product_id",
        "track_id",
    ),
    "rating": ("rating", "score", "stars"),
    "time": ("timestamp", "time", "datetime", "date"),
}
_TITLES = ("title", "movie_title", "name", "item_name")


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """A table as it was read: where it came from, its rows, and the titles of items that have one."""

    name: str
    source: str
    rows: Rows
    titles: Mapping[str, str]
    license: str = "unknown"


@dataclass(frozen=True)
class StoredTable:
    """A table that is read already, such as a split of a Hub's data set; its name stands in for a path."""

    name: str
    content: Any

    def __str__(self) -> str:
        return self.name


Part = Path | StoredTable


def read_interactions(
    parts: Sequence[Part],
    options: InteractionOptions,
    *,
    name: str,
    source: str,
    titles: Path | None = None,
    license: str = "unknown",
) -> Interactions:
    """Read tables of one form as one. Raise DataError for what cannot be read, or lacks users or items."""
    read = [_read(part, options) for part in parts]
    table = pa.concat_tables([part.select(read[0].column_names) for part in read]).unify_dictionaries()
    if options.min_rating is not None:
        if "rating" not in table.column_names:
            raise zoo.DataError(f"{source} has no ratings, which min_rating needs; name them: --data-set rating=COLUMN")
        table = table.filter(pc.greater_equal(table["rating"], options.min_rating))
    if not len(table):
        raise zoo.DataError(f"{source} holds no rows of users and items; give a table that does")
    users, user_names = _numbered(table["user"])
    items, item_names = _numbered(table["item"])
    times = table["time"].to_numpy().astype(np.float64) if "time" in table.column_names else None
    rows = Rows(users=users, items=items, user_names=user_names, item_names=item_names, times=times)
    del table, read
    named = Path(options.titles) if options.titles else titles
    return Interactions(
        name=name,
        source=source,
        rows=thinned(ordered(rows), options.core),
        titles={} if named is None else read_titles(named, options),
        license=license,
    )


def table_files(path: Path) -> list[Path]:
    """Return a table, or those of one form in a folder. Raise DataError for what is none."""
    found = sorted(item for item in path.iterdir() if item.suffix in SUFFIXES) if path.is_dir() else [path]
    if not found or any(item.suffix not in SUFFIXES for item in found):
        raise zoo.DataError(f"{path} is no table of users and items; give one of {', '.join(SUFFIXES)}")
    if len({item.suffix for item in found}) > 1:
        raise zoo.DataError(f"{path} holds tables of several forms; name the file that is meant")
    return found


def titles_beside(path: Path) -> Path | None:
    """Return the `.item` table that RecBole puts beside an `.inter` one, where it is there."""
    beside = path.with_suffix(".item")
    return beside if path.suffix == ".inter" and beside.is_file() else None


def read_titles(path: Path, options: InteractionOptions) -> dict[str, str]:
    """Return the titles of items by their names; a year in a column of its own goes behind them."""
    names = _columns(path)
    item = _column(names, "item", options.item, path)
    found = next((name for name in names if _plain(name) in _TITLES), None)
    if item is None or found is None:
        raise zoo.DataError(f"{path} has no columns of items and titles, but {', '.join(names)}")
    year = next((name for name in names if _plain(name) == "release_year"), None)
    wanted = [item, found, *([year] if year else [])]
    table = _table(path, wanted, dict.fromkeys(wanted, pa.string()))
    columns = [table[name].to_pylist() for name in wanted]
    return {
        name: f"{title} ({rest[0]})" if rest and rest[0] else title
        for name, title, *rest in zip(*columns, strict=True)
        if name and title
    }


def _read(path: Part, options: InteractionOptions) -> Any:
    """Return the columns user, item, and rating and time where they are there."""
    names = _columns(path)
    roles = {role: _column(names, role, getattr(options, role), path) for role in _KNOWN}
    for role in ("user", "item"):
        if roles[role] is None:
            raise zoo.DataError(
                f"{path} has no column of {role}s among {', '.join(names)}; name it: --data-set {role}=COLUMN"
            )
    if options.min_rating is None and options.rating is None:
        roles["rating"] = None  # what nobody asks for is not read
    wanted = {role: name for role, name in roles.items() if name is not None}
    text = pa.dictionary(pa.int32(), pa.string())
    types = {wanted["user"]: text, wanted["item"]: text}
    if "rating" in wanted:
        types[wanted["rating"]] = pa.float64()
    table = _table(path, list(wanted.values()), types).rename_columns(list(wanted))
    columns = {}
    for role in wanted:
        column = table[role]
        if role in ("user", "item"):
            columns[role] = _as_text(column, text)
        else:
            columns[role] = _as_number(column, role, path)
        if missing := columns[role].null_count:
            raise zoo.DataError(
                f"{path} has {counted(missing, 'row')} without {role}; fill in what is missing, or remove it"
            )
    return pa.table(columns)


def _columns(path: Part) -> list[str]:
    """Return the names of a table's columns."""
    if isinstance(path, StoredTable):
        return list(path.content.column_names)
    try:
        if path.suffix == ".parquet":
            names: list[str] = parquet.read_schema(path).names
            return names
        with csv.open_csv(path, parse_options=_parsing(path)) as reader:
            return list(reader.schema.names)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def _table(path: Part, names: list[str], types: Mapping[str, Any]) -> Any:
    if isinstance(path, StoredTable):
        return path.content.select(names)
    try:
        if path.suffix == ".parquet":
            return parquet.read_table(path, columns=names)
        converting = csv.ConvertOptions(
            include_columns=names,
            column_types=types,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        )
        return csv.read_csv(path, parse_options=_parsing(path), convert_options=converting)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> zoo.DataError:
    told = " ".join(str(error).split())
    return zoo.DataError(f"{path} cannot be read as a table: {told[:300]}; fix it")


def _parsing(path: Path) -> Any:
    atomic = path.suffix in (".inter", ".item")
    delimiter = "\t" if atomic or path.suffix == ".tsv" else ","
    return csv.ParseOptions(delimiter=delimiter, quote_char=False if atomic else '"')


def _plain(name: str) -> str:
    """Return a column's name without RecBole's type, as `user_id:token` has it."""
    return name.partition(":")[0].strip().lower()


def _column(names: Sequence[str], role: str, said: str | None, path: Part) -> str | None:
    if said is not None:
        found = next((name for name in names if said in (name, name.partition(":")[0])), None)
        if found is None:
            raise zoo.DataError(f"{path} has no column {said!r}, but {', '.join(names)}; say --data-set {role}=COLUMN")
        return found
    plain = {_plain(name).replace("-", "_"): name for name in reversed(names)}
    return next((plain[known] for known in _KNOWN[role] if known in plain), None)


def _as_text(column: Any, text: Any) -> Any:
    if pa.types.is_dictionary(column.type) and pa.types.is_string(column.type.value_type):
        return column.cast(text) if column.type != text else column
    if pa.types.is_floating(column.type):
        return column.cast(pa.int64()).dictionary_encode().cast(text)  # whole numbers, which a null made floats
    return column.dictionary_encode().cast(text)


def _as_number(column: Any, role: str, path: Part) -> Any:
    """Return times as seconds, or as what they count in, and ratings as they are."""
    try:
        if pa.types.is_string(column.type):
            column = column.cast(pa.timestamp("us"))
        if pa.types.is_temporal(column.type):
            column = pc.divide(column.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.float64()), 1e6)
        found = column.cast(pa.float64())
    except pa.ArrowException as error:
        raise zoo.DataError(f"column {role} of {path} is no number and no time: {str(error)[:200]}; fix it") from None
    if not pc.all(pc.is_finite(found)).as_py() and not found.null_count:
        raise zoo.DataError(f"column {role} of {path} holds what is no finite number; fix it")
    return found


def _numbered(column: Any) -> tuple[NDArray[np.int32], list[str]]:
    """Return the numbers of texts, and the texts, sorted."""
    whole = column.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    order = pc.sort_indices(whole.dictionary).to_numpy()
    places = np.empty(len(order), np.int32)
    places[order] = np.arange(len(order), dtype=np.int32)
    return places[whole.indices.to_numpy()], whole.dictionary.take(pa.array(order)).to_pylist()
