"""What stays together when data are split: samples that are copies of each other, however that was found out."""

import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_log = logging.getLogger("zoo")


def joined(keys: Iterable[Sequence[Hashable]], pairs: Iterable[tuple[int, int]] = ()) -> NDArray[np.int64] | None:
    """Return a number for each sample, which those share that a chain of equal keys or of pairs leads to.

    `keys` are sequences with a key for each sample, None where it has none. Return None where nothing belongs together.
    """
    columns = [list(column) for column in keys]
    first: dict[Hashable, int] = {}
    links = list(pairs)
    for number, column in enumerate(columns):
        for place, key in enumerate(column):
            if key is not None and (other := first.setdefault((number, key), place)) != place:
                links.append((other, place))
    if not links:
        return None
    parents = list(range(len(columns[0])))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for one, other in links:
        low, high = sorted((root(one), root(other)))
        parents[high] = low
    return np.array([root(place) for place in range(len(parents))], np.int64)


def warn_of_copies(splits: Mapping[str, Sequence[str]], groups: Mapping[str, NDArray[np.int64]], source: str) -> None:
    """Warn in one line where samples to test on have copies among those to learn from.

    `splits` are the samples' names, and `groups` what `joined` says of each, over all splits together.
    """
    if "train" not in splits:
        return
    learnt = dict(zip(groups["train"].tolist(), splits["train"], strict=True))
    for split in sorted(splits.keys() - {"train"}):
        numbered = zip(splits[split], groups[split].tolist(), strict=True)
        found = [(name, learnt[group]) for name, group in numbered if group in learnt]
        if found:
            _log.warning(
                "%d of %d %s samples of %s are copies of training samples, and flatter the scores: first %s and %s; "
                "split by what they were made from",
                len(found),
                len(splits[split]),
                split,
                source,
                *found[0],
            )
