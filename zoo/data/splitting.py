"""Settle which splits there are; what is split by hashes stays on its side when others come or go."""

import logging
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

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

TEST_SHARE = 0.2
Part = TypeVar("Part")
Groups = Sequence[int] | NDArray[np.int64]
"""A number for each sample, which those share that stay together."""
_log = logging.getLogger("zoo")
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
    labels: Mapping[Path, Collection[Hashable]] | None = None,
    groups: Groups | None = None,
) -> dict[str, list[Path]]:
    """Split within each class, or without `labels` within each folder, the lowest hashes to test.

    `groups` are those of each path, as `stratified` has them.
    """
    if scoring():
        return {"test": list(paths)}
    if len(paths) < 2:
        raise DataError(f"{paths[0].parent} holds one file; a training and a test split need two or more")
    ranked = sorted(range(len(paths)), key=lambda place: hashes[paths[place]])
    known = [() if labels is None else tuple(labels[path]) for path in paths]
    strata = [path.parent for path in paths] if labels is None else None
    test = stratified(ranked, known, str(paths[0].parent), groups=groups, strata=strata)
    return {
        "train": [path for place, path in enumerate(paths) if place not in test],
        "test": [path for place, path in enumerate(paths) if place in test],
    }


def stratified(
    ranked: Sequence[int],
    labels: Sequence[Collection[Hashable]],
    source: str,
    *,
    groups: Groups | None = None,
    strata: Sequence[Hashable] | None = None,
) -> set[int]:
    """Return the places to test on: a fifth of each class, in the order of `ranked`, and one where it has two.

    A sample of several classes counts for its rarest, unless `strata` says what each counts for. `groups` number what
    stays together, such as copies of one picture. No class is left without anything to learn. Raise DataError where
    nothing can be tested on.
    """
    strata = _rarest(labels) if strata is None else strata
    by_stratum: dict[Hashable, list[int]] = {}
    for place in ranked:
        by_stratum.setdefault(strata[place], []).append(place)
    draw = _Draw(labels, groups)
    alone = all(len(places) == 1 for places in by_stratum.values())
    for places in [ranked] if alone else sorted(by_stratum.values(), key=len):
        count = round(len(places) * TEST_SHARE) or (len(places) > 1)
        taken = sum(place in draw.taken for place in places)
        for place in places:
            taken += draw.take(place, count - taken)
    if not draw.taken and groups is not None:
        _log.warning("all of %s count as copies of each other, and are split as if they were none", source)
        return stratified(ranked, labels, source, strata=strata)
    if not draw.taken:
        raise DataError(f"{source} has no label twice; a training and a test split need more of some")
    return draw.taken


def held_out(
    ranked: Iterable[int],
    labels: Sequence[Collection[Hashable]],
    count: int,
    groups: Groups | None = None,
) -> set[int]:
    """Return about the first `count` places, as many of each class as its share, as `stratified` has labels and groups.

    Without groups there are no more than `count`, and fewer only where classes would be left without any to learn.
    """
    strata = _rarest(labels)
    sizes, before = Counter(strata), Counter[Hashable]()
    spread = []
    for rank, place in enumerate(ranked):
        stratum = strata[place]
        spread.append(((before[stratum] + 0.5) / sizes[stratum], rank, place))
        before[stratum] += 1
    draw = _Draw(labels, groups)
    for _, _, place in sorted(spread):
        draw.take(place, count - len(draw.taken))
    return draw.taken


class _Draw:
    """Samples that are taken out, group by group, so that something of every label is left."""

    def __init__(self, labels: Sequence[Collection[Hashable]], groups: Groups | None) -> None:
        self.taken: set[int] = set()
        self._labels = labels
        self._left = Counter(label for found in labels for label in found)
        self._groups = groups
        self._members: dict[int, list[int]] = {}
        for place, group in enumerate(() if groups is None else groups):
            self._members.setdefault(int(group), []).append(place)

    def take(self, place: int, room: int) -> int:
        """Take the group of a place, where that comes nearer to what there is room for, and return how many it was."""
        if room < 1 or place in self.taken:
            return 0
        group = [place] if self._groups is None else self._members[int(self._groups[place])]
        lost = Counter(label for member in group for label in self._labels[member])
        if len(group) >= 2 * room or any(self._left[label] <= number for label, number in lost.items()):
            return 0
        self.taken.update(group)
        self._left.subtract(lost)
        return len(group)


def _rarest(labels: Sequence[Collection[Hashable]]) -> list[Hashable]:
    """Return the rarest label of each sample, None where it has none."""
    counts = Counter(label for found in labels for label in found)
    return [min(found, key=lambda label: (counts[label], str(label)), default=None) for found in labels]
