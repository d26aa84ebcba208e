"""What every reader of boxes gives, and what every one must refuse."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from zoo import files as paths
from zoo.data.images.listing import pictures_below, stem_in
from zoo.data.splitting import needed_splits, with_test
from zoo.errors import DataError


class Box(NamedTuple):
    """Left, top, right, bottom; the place of its class; 0, or CROWD or DIFFICULT for what is not scored."""

    left: float
    top: float
    right: float
    bottom: float
    label: int
    unscored: int = 0


@dataclass(frozen=True)
class AnnotatedImage:
    """A picture's file and its boxes; `source` is where they stand, `size` the height and width that stand there."""

    path: Path
    boxes: Sequence[Box]
    source: str
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Annotations:
    """Pictures by split: "train" and "test" and perhaps "validation", or "all" where the folder does not say.

    Boxes are in pixels of the file or, with `in_shares`, in shares of its width and height.
    """

    classes: tuple[str, ...]
    splits: Mapping[str, Sequence[AnnotatedImage]]
    in_shares: bool = False


def inside(root: Path, name: str, source: str) -> Path:
    """Return the path of a file that an annotation names. Raise DataError where it leads out of the folder."""
    if (path := paths.inside(root, name)) is None:
        raise DataError(f"{source} names the file {name!r}, which is outside {root}; use a name inside it")
    return path


def number(text: str, where: str) -> float:
    """Return a finite number. Raise DataError that says where it stands."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where} says {text.strip()[:40]!r} instead of a finite number; correct it")
    return value


def pictures_by_stem(folder: Path) -> dict[str, Path]:
    """Return the pictures below a folder, by path in it without suffix. Raise DataError for two of one name."""
    found: dict[str, Path] = {}
    for path in pictures_below(folder) if folder.is_dir() else []:
        stem = stem_in(folder, path)
        if stem in found:
            raise DataError(f"{path} and {found[stem].name} share a name, and so an annotation; rename one")
        found[stem] = path
    return found


def check_classes(classes: Sequence[str], source: str) -> tuple[str, ...]:
    """Return the class names. Raise DataError where one is empty or occurs twice."""
    if not classes or any(not name.strip() for name in classes):
        raise DataError(f"{source} has no class names, or an empty one; name every class")
    if twice := [name for place, name in enumerate(classes) if name in classes[:place]]:
        raise DataError(f"{source} has the class {twice[0]!r} twice; keep one of them")
    return tuple(classes)


def split_of(name: str) -> str | None:
    """Return the split that a file's or folder's name speaks of."""
    for word, split in (("train", "train"), ("val", "validation"), ("test", "test")):
        if word in name.lower():
            return split
    return None


def settle_splits(parts: Mapping[str, Sequence[AnnotatedImage]], source: str) -> dict[str, Sequence[AnnotatedImage]]:
    """Return train and test, and validation where both others are there; without test, validation takes its place."""
    splits = with_test({name: part for name, part in parts.items() if part})
    if set(splits) in ({"all"}, {"train"}):
        return {"all": next(iter(splits.values()))}
    if not set(needed_splits()) <= splits.keys():
        raise DataError(f"{source} has pictures for {_listed(splits)}; it needs train, and test or val")
    return splits


def _listed(names: Iterable[str]) -> str:
    return " and ".join(sorted(names)) or "nothing"
