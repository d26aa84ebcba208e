"""YOLO: a text file beside each picture, a line a box: class, then centre x, centre y, width, height as shares.

A line of more numbers is the outline of a thing, x and y in turn; its box is the one around it. A picture without a
text file has no boxes.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from zoo.data.boxes.records import (
    AnnotatedImage,
    Annotations,
    Box,
    check_classes,
    number,
    pictures_by_stem,
    settle_splits,
    split_of,
)
from zoo.data.images.listing import files_below, stem_in
from zoo.data.text_files import read_text, split_lines
from zoo.errors import DataError

_SPLITS = ("train", "valid", "val", "test")
_NO_LABELS = ("classes", "notes")
_MOST_CLASSES = 10_000
"""What a class may be numbered where none is named."""
_FAR = 2.0
"""A share beyond this is no slip over the edge: it is in pixels."""


def recognizes(folder: Path) -> bool:
    """Tell whether a folder is one of YOLO."""
    return next(_pairs(folder), None) is not None


def read(folder: Path) -> Annotations:
    """Read the boxes of every picture. Class names are those of data.yaml or classes.txt, or else numbers."""
    names = _names(folder)
    parts: dict[str, list[AnnotatedImage]] = {}
    highest = -1
    for split, pictures, labels in _pairs(folder):
        by_stem = pictures_by_stem(pictures)
        texts = {stem_in(labels, path): path for path in files_below(labels, (".txt",)) if path.stem not in _NO_LABELS}
        for stem in sorted(by_stem.keys() | texts.keys()):
            boxes = _read_boxes(texts[stem], None if names is None else len(names)) if stem in texts else []
            highest = max([highest, *(box.label for box in boxes)])
            path = by_stem.get(stem, pictures / f"{stem}.jpg")
            parts.setdefault(split, []).append(
                AnnotatedImage(path, boxes, str(texts.get(stem, labels / f"{stem}.txt")))
            )
    classes = names if names is not None else [str(place) for place in range(highest + 1)]
    if not classes:
        raise DataError(f"{folder} has no box in any text file; add labels/<picture>.txt")
    return Annotations(check_classes(classes, str(folder)), settle_splits(parts, str(folder)), in_shares=True)


def _pairs(folder: Path) -> Iterator[tuple[str, Path, Path]]:
    """Yield splits with their folders of pictures and of labels."""
    for name in _SPLITS:
        if (folder / name / "images").is_dir() and (folder / name / "labels").is_dir():
            yield str(split_of(name)), folder / name / "images", folder / name / "labels"
    images, labels = folder / "images", folder / "labels"
    if not (images.is_dir() and labels.is_dir()):
        return
    named = sorted(path for path in images.iterdir() if path.is_dir() and split_of(path.name) and path.name[0] != ".")
    for path in named:
        yield str(split_of(path.name)), path, labels / path.name
    if not named:
        yield "all", images, labels


def _read_boxes(path: Path, num_classes: int | None) -> list[Box]:
    return [
        _box(line.split(), f"{path}:{place}", num_classes)
        for place, line in enumerate(split_lines(read_text(path)), start=1)
        if line.strip()
    ]


def _box(fields: list[str], where: str, num_classes: int | None) -> Box:
    label, shares = number(fields[0], where), [number(field, where) for field in fields[1:]]
    if len(shares) != 4 and (len(shares) < 6 or len(shares) % 2):
        raise DataError(
            f"{where} has {len(fields)} numbers; write five: class, centre x, centre y, width and height as fractions"
        )
    if label != int(label) or not 0 <= label < (num_classes or _MOST_CLASSES):
        listed = "" if num_classes is None else f"; classes are numbered from 0 to {num_classes - 1}"
        raise DataError(f"{where} is of the unknown class {fields[0]}{listed}; correct it, or add it to data.yaml")
    if max(map(abs, shares)) > _FAR:
        raise DataError(f"{where} says {max(shares, key=abs):g}, apparently in pixels; write fractions from 0 to 1")
    if len(shares) == 4:
        x, y, width, height = shares
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2, int(label))
    return Box(min(shares[::2]), min(shares[1::2]), max(shares[::2]), max(shares[1::2]), int(label))


def _names(folder: Path) -> list[str] | None:
    """Return the class names that the folder gives, None where it gives none."""
    described = [folder / "data.yaml", folder / "data.yml", *sorted(folder.glob("[!.]*.yaml"))]
    if (path := next((path for path in described if path.is_file()), None)) is not None:
        return _names_of(path)
    for path in (folder / "classes.txt", folder / "labels" / "classes.txt"):
        if path.is_file():
            return [line.strip() for line in split_lines(read_text(path)) if line.strip()]
    return None


def _names_of(path: Path) -> list[str]:
    try:
        content: Any = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = "" if mark is None else f":{mark.line + 1}"
        reason = getattr(error, "problem", None) or "it cannot be read"
        raise DataError(f"{path}{line} is not YAML: {reason}; get a fresh copy") from None
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise DataError(f"the names of {path} are not numbered 0, 1, 2 and so on; number them so")
        names = [names[place] for place in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, (str, int)) for name in names):
        raise DataError(f"{path} has no names: a list of the classes, or their names by number; add them")
    if "nc" in content and content["nc"] != len(names):
        raise DataError(f"{path} says nc: {content['nc']} but has {len(names)} names; correct one of them")
    return [str(name) for name in names]
