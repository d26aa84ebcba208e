"""Split pictures by the hash of each, so that one stays on its side when others come or go."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from zoo.errors import DataError

_TEST_SHARE = 0.2


def split_by_hash(paths: Sequence[Path], hashes: Mapping[Path, str]) -> dict[str, list[Path]]:
    """Split within each folder, the lowest hashes to test: no class falls out of a split that has room for it."""
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        groups.setdefault(path.parent, []).append(path)
    test = set()
    for group in groups.values():
        count = round(len(group) * _TEST_SHARE) or (len(group) > 1)
        test |= set(sorted(group, key=lambda path: hashes[path])[:count])
    if not test:
        raise DataError(f"{paths[0].parent} holds one picture; a training and a test split need two or more")
    return {"train": [path for path in paths if path not in test], "test": [path for path in paths if path in test]}
