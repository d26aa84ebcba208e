"""A table of boxes, a row each: the picture's file, its class, xmin, ymin, xmax, ymax in pixels.

The table lies in the folder, beside the pictures or above `images`, or one in each of train, valid and test; a column
`split`, or tables whose names have the splits in them, split one folder. A row without numbers is a picture without
boxes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.data.boxes.records import (
    AnnotatedImage,
    Annotations,
    Box,
    check_classes,
    inside,
    number,
    settle_splits,
    split_of,
)
from zoo.data.delimited import head_of, read_delimited
from zoo.data.splitting import SPLITS
from zoo.data.text_files import read_text
from zoo.errors import DataError

_MOST_BYTES = 1 << 30
_NAMES: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "filename", "file_name", "image", "image_path", "path"),
    "class": ("class", "label", "class_name", "name"),
    "xmin": ("xmin", "x_min", "x1", "left"),
    "ymin": ("ymin", "y_min", "y1", "top"),
    "xmax": ("xmax", "x_max", "x2", "right"),
    "ymax": ("ymax", "y_max", "y2", "bottom"),
}
_SIDES = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True)
class _Row:
    where: str
    split: str
    picture: Path
    label: str | None
    sides: tuple[float, float, float, float]
    size: tuple[int, int] | None


def recognizes(folder: Path) -> bool:
    """Tell whether a folder has tables of boxes."""
    return bool(_tables(folder))


def read(folder: Path) -> Annotations:
    """Read the boxes of every table. Classes are the names that rows have, sorted."""
    rows = [row for split, table in _tables(folder) for row in _rows(table, split)]
    classes = check_classes(sorted({row.label for row in rows if row.label is not None}), str(folder))
    places = {name: place for place, name in enumerate(classes)}
    by_picture: dict[Path, list[_Row]] = {}
    for row in rows:
        by_picture.setdefault(row.picture, []).append(row)
    parts: dict[str, list[AnnotatedImage]] = {}
    for picture, some in sorted(by_picture.items()):
        if other := next((row for row in some if row.split != some[0].split), None):
            raise DataError(f"{other.where} puts {picture.name} into another split than {some[0].where}; keep one")
        boxes = [Box(*row.sides, places[row.label]) for row in some if row.label is not None]
        parts.setdefault(some[0].split, []).append(AnnotatedImage(picture, boxes, some[0].where, some[0].size))
    return Annotations(classes, settle_splits(parts, str(folder)))


def _tables(folder: Path) -> list[tuple[str, Path]]:
    """Return the tables with their splits: those of folders called as splits are, or else those of the folder."""
    inner = [(SPLITS[name], path) for name in SPLITS for path in sorted((folder / name).glob("*.csv"))]
    if found := [(split, path) for split, path in inner if _is_one(path)]:
        return found
    own = [path for path in sorted(folder.glob("*.csv")) if _is_one(path)]
    return [("all" if len(own) == 1 else split_of(path.stem) or "all", path) for path in own]


def _is_one(path: Path) -> bool:
    try:
        return None not in _columns(head_of(read_text(path, maximum=_MOST_BYTES))).values()
    except DataError:
        return False


def _columns(head: Sequence[str]) -> dict[str, int | None]:
    """Return where each column is; their names are compared without regard to capitals."""
    known = {name.strip().lower(): place for place, name in enumerate(head)}
    return {role: next((known[name] for name in names if name in known), None) for role, names in _NAMES.items()}


def _rows(table: Path, split: str) -> Iterator[_Row]:
    read = read_delimited(read_text(table, maximum=_MOST_BYTES), str(table))
    places = {role: place for role, place in _columns(read.names).items() if place is not None}
    known = {name.lower(): place for place, name in enumerate(read.names)}
    for line, row in zip(read.lines, read.rows, strict=True):
        where = f"line {line} of {table}"
        own = row[known["split"]].strip().lower() if "split" in known else split
        if own not in (*SPLITS, "all"):
            raise DataError(f"{where} has the split {own!r}; write train, validation or test")
        cells = [row[places[side]] for side in _SIDES]
        label = row[places["class"]].strip()
        empty = not label and not any(cell.strip() for cell in cells)
        if not label and not empty:
            raise DataError(f"{where} has a box without a class; name it")
        left, top, right, bottom = (0.0 if empty else number(cell, where) for cell in cells)
        size = [row[known[name]] for name in ("height", "width")] if {"height", "width"} <= known.keys() else None
        yield _Row(
            where,
            SPLITS.get(own, own),
            _picture(table.parent, row[places["file"]], where),
            None if empty else label,
            (left, top, right, bottom),
            None if size is None else (int(number(size[0], where)), int(number(size[1], where))),
        )


def _picture(folder: Path, name: str, where: str) -> Path:
    """Return a picture's path, relative to the table or to `images` beside it."""
    beside, within = inside(folder, name, where), inside(folder / "images", name, where)
    return within if within.is_file() and not beside.is_file() else beside
