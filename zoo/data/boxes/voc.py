"""Pascal VOC: JPEGImages/*.jpg, Annotations/*.xml, and lists of names in ImageSets/Main (Everingham et al., 2010).

Corners are the first and the last pixel of a box, counted from 1, so that its edges are at `xmin - 1` and `xmax`.
Where a corner of the folder is 0, they were written by a tool that takes them for edges, and are so taken.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from zoo.data.arrays import DIFFICULT
from zoo.data.boxes.records import (
    AnnotatedImage,
    Annotations,
    Box,
    check_classes,
    inside,
    number,
    pictures_by_stem,
    settle_splits,
)
from zoo.data.images.listing import files_below, stem_in
from zoo.data.text_files import read_text, split_lines
from zoo.errors import DataError

_SIDES = ("xmin", "ymin", "xmax", "ymax")
_OBJECT = ("annotation", "object")
_DEEPEST = 64


class _Object(NamedTuple):
    name: str
    sides: tuple[float, float, float, float]
    difficult: bool


class _Described(NamedTuple):
    """What the XML of one picture says."""

    path: Path
    picture: Path
    objects: Sequence[_Object]
    size: tuple[int, int] | None


def recognizes(folder: Path) -> bool:
    """Tell whether a folder is one of Pascal VOC."""
    annotations = _first(folder, "Annotations", "annotations")
    return annotations is not None and bool(files_below(annotations, (".xml",)))


def read(folder: Path) -> Annotations:
    """Read the pictures of every list, or of all annotations where there are no lists."""
    annotations = _first(folder, "Annotations", "annotations") or folder
    pictures = _first(folder, "JPEGImages", "images") or folder / "JPEGImages"
    by_stem = pictures_by_stem(pictures)
    described = {
        split: [_describe(annotations, pictures, by_stem, name, source) for name in dict.fromkeys(names)]
        for split, (names, source) in _lists(folder, annotations).items()
    }
    found = {item.name for part in described.values() for one in part for item in one.objects}
    classes = check_classes(sorted(found), str(annotations))
    places = {name: place for place, name in enumerate(classes)}
    corners = (min(item.sides[:2]) for part in described.values() for one in part for item in one.objects)
    first = 1 if min(corners, default=1) >= 1 else 0
    splits = {
        split: [
            AnnotatedImage(
                one.picture,
                [_box(item, first, places[item.name]) for item in one.objects],
                str(one.path),
                one.size,
            )
            for one in part
        ]
        for split, part in described.items()
    }
    return Annotations(classes, settle_splits(splits, str(folder)))


def _box(item: _Object, first: int, label: int) -> Box:
    left, top, right, bottom = item.sides
    return Box(left - first, top - first, right, bottom, label, DIFFICULT if item.difficult else 0)


def _first(folder: Path, *names: str) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_dir()), None)


def _lists(folder: Path, annotations: Path) -> dict[str, tuple[list[str], str]]:
    """Return the names for each split, and where they stand."""
    main = folder / "ImageSets" / "Main"
    lists = {name: main / f"{name}.txt" for name in ("train", "val", "trainval", "test")}
    there = {name: path for name, path in lists.items() if path.is_file()}
    if not there:
        return {"all": ([stem_in(annotations, path) for path in files_below(annotations, (".xml",))], str(annotations))}
    train = "train" if "train" in there else "trainval"
    wanted = {"train": train, "validation": "val" if train == "train" else "", "test": "test"}
    return {
        split: ([line.strip() for line in split_lines(read_text(there[name])) if line.strip()], str(there[name]))
        for split, name in wanted.items()
        if name in there
    }


def _describe(annotations: Path, pictures: Path, by_stem: dict[str, Path], name: str, source: str) -> _Described:
    inside(annotations, name, source)
    path = annotations / f"{name}.xml"
    if not path.is_file():
        raise DataError(f"{source} lists {name}, but there is no {path}; add it, or remove the name from the list")
    reader = _Reader(path)
    return _Described(path, by_stem.get(name, pictures / f"{name}.jpg"), reader.objects, reader.size)


class _Reader:
    """Read one annotation as its elements pass by; document types, and so entities of their own, are refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.objects: list[_Object] = []
        self._open: list[str] = []
        self._texts: dict[tuple[str, ...], str] = {}
        self._parser: Any = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse
        text = read_text(path)
        if not text.strip():
            raise DataError(f"{path} is an empty file; get a fresh copy")
        try:
            self._parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            reason = expat.errors.messages.get(error.code, "broken")
            raise DataError(
                f"{path}:{error.lineno}:{error.offset + 1} is not XML: {reason}; get a fresh copy"
            ) from None
        if "annotation" not in {key[0] for key in self._texts}:
            raise DataError(f"{path} has no element <annotation>, as Pascal VOC has it; get a fresh copy")

    @property
    def size(self) -> tuple[int, int] | None:
        """Height and width, None where they are not there or 0, as some tools write them."""
        sides = [self._texts.get(("annotation", "size", name), "0") for name in ("height", "width")]
        height, width = (int(number(side, f"{self.path} <size>")) for side in sides)
        return (height, width) if height > 0 and width > 0 else None

    def _where(self) -> str:
        return f"{self.path}:{self._parser.CurrentLineNumber}"

    def _refuse(self, *declared: Any) -> None:
        raise DataError(f"{self._where()} declares a document type, which annotations do not need; remove it")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        if len(self._open) > _DEEPEST:
            raise DataError(f"{self._where()} is nested more than {_DEEPEST} deep; get a fresh copy")
        self._texts[tuple(self._open[:4])] = ""

    def _text(self, text: str) -> None:
        if 0 < len(self._open) <= 4:
            self._texts[tuple(self._open)] += text

    def _end(self, name: str) -> None:
        if tuple(self._open) == (*_OBJECT, "bndbox"):
            for side in _SIDES:
                key = (*_OBJECT, "bndbox", side)
                if key not in self._texts:
                    raise DataError(f"{self._where()} has a box without {side}; add it")
                number(self._texts[key], f"{self._where()} <{side}>")
        elif tuple(self._open) == _OBJECT:
            self._finish_object()
        self._open.pop()

    def _finish_object(self) -> None:
        found = {key[2:]: text.strip() for key, text in self._texts.items() if key[:2] == _OBJECT}
        if not found.get(("name",)) or ("bndbox",) not in found:
            raise DataError(f"{self._where()} has an object without a name or without a box; add it, or remove it")
        left, top, right, bottom = (number(found["bndbox", side], self._where()) for side in _SIDES)
        difficult = found.get(("difficult",), "0") == "1"
        self.objects.append(_Object(found["name",], (left, top, right, bottom), difficult))
        self._texts = {key: text for key, text in self._texts.items() if key[:2] != _OBJECT}
