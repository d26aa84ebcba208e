"""Settle which splits there are; images are split by the hash of each, which stays when others come or go."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from zoo.errors import DataError, UsageError

SPLITS: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "test": "test",
    "testing": "test",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
}
"""What splits are called, in the names of files, of folders and in columns."""

_TEST_SHARE = 0.2
Part = TypeVar("Part")
_scoring: ContextVar[bool] = ContextVar("scoring", default=False)


@contextmanager
def to_be_scored() -> Iterator[None]:
    """Open data in the block to score weights on: their one split is test, and nothing is split off for training.

    That is the test split where there is one, or else that to validate on, and everything where nothing is split.
    """
    token = _scoring.set(True)
    try:
        yield
    finally:
        _scoring.reset(token)


def scoring() -> bool:
    """Tell whether data are opened to be scored."""
    return _scoring.get()


def needed_splits() -> tuple[str, ...]:
    """Return the splits that there must be."""
    return ("test",) if scoring() else ("train", "test")


def with_test(splits: Mapping[str, Part]) -> dict[str, Part]:
    """Return the splits, with what is there for validation to test on where nothing else is.

    To be scored, that to test on is the only one.
    """
    if scoring() and splits:
        order = ("test", "validation", *splits)
        return {"test": next(splits[name] for name in order if name in splits)}
    if "test" in splits or "validation" not in splits:
        return dict(splits)
    return {"test" if name == "validation" else name: part for name, part in splits.items()}


def split_folders(folder: Path) -> dict[str, Path]:
    """Return the folders in a folder that are named as splits, in any case. Raise DataError for two of one split."""
    found: dict[str, Path] = {}
    for inner in sorted(folder.iterdir()) if folder.is_dir() else []:
        split = SPLITS.get(inner.name.lower())
        if split is None or not inner.is_dir():
            continue
        if split in found:
            raise DataError(f"{folder} has both {found[split].name} and {inner.name}, one split; keep one of them")
        found[split] = inner
    return found


def splits_of(splits: Mapping[str, Part], wanted: str, source: str) -> dict[str, Part]:
    """Return the split that is asked for, or with "all" each, in the order of their names."""
    if wanted != "all" and wanted not in splits:
        raise UsageError(f"{source} has no split {wanted!r}; it has {', '.join(sorted(splits))}, or take all")
    return {name: splits[name] for name in sorted(splits) if wanted in (name, "all")}


def split_by_hash(
    paths: Sequence[Path],
    hashes: Mapping[Path, str],
    labels: Mapping[Path, Iterable[Hashable]] | None = None,
    group_of: Callable[[Path], object] = lambda path: path.parent,
) -> dict[str, list[Path]]:
    """Split within each group, the lowest hashes to test: no class falls out of a split that has room for it.

    With `labels` of each path, one that alone has a label is not tested on.
    """
    if scoring():
        return {"test": list(paths)}
    groups: dict[object, list[Path]] = {}
    for path in paths:
        groups.setdefault(group_of(path), []).append(path)
    test = set()
    for group in groups.values():
        count = round(len(group) * _TEST_SHARE) or (len(group) > 1)
        test |= set(sorted(group, key=lambda path: hashes[path])[:count])
    if not test:
        raise DataError(f"{paths[0].parent} holds one picture; a training and a test split need two or more")
    if labels is not None:
        ranked = sorted(range(len(paths)), key=lambda place: (paths[place] not in test, hashes[paths[place]]))
        kept = held_out(ranked, [labels[path] for path in paths], len(test), str(paths[0].parent))
        test = {paths[place] for place in kept}
    return {"train": [path for path in paths if path not in test], "test": [path for path in paths if path in test]}


def held_out(ranked: Iterable[int], labels: Sequence[Iterable[Hashable]], count: int, source: str) -> set[int]:
    """Return the first `count` places to test on, without those whose label no place would be left to learn.

    `labels` are those of each place. Raise DataError where there is none.
    """
    left = Counter(label for found in labels for label in found)
    test: set[int] = set()
    for place in ranked:
        if len(test) < count and all(left[label] > 1 for label in labels[place]):
            test.add(place)
            left.subtract(labels[place])
    if not test:
        raise DataError(f"{source} has no label twice; a training and a test split need more of some")
    return test
