"""Which texts are equal but for case and blanks: copies, which are not parted."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from zoo.data.groups import joined, warn_of_copies
from zoo.data.splitting import scoring
from zoo.data.text.columns import Record

_SHOWN = 40


def equal_texts(texts: Sequence[str], pairs: Sequence[str | None] | None = None) -> NDArray[np.int64] | None:
    """Return a number for each text, or pair of texts, that equal ones share; None where no two are equal.

    What is to be written of them does not count: two translations of one sentence are of one sentence.
    """
    seconds = [None] * len(texts) if pairs is None else pairs
    keys = [_plain(text) + (f"\n{_plain(pair)}" if pair else "") for text, pair in zip(texts, seconds, strict=True)]
    return joined([[key or None for key in keys]])


def warn_of_equal_texts(rows: Mapping[str, Sequence[Record]], source: str) -> None:
    """Warn in one line of each split that has texts of the training split."""
    if scoring():
        return
    records = [record for part in rows.values() for record in part]
    groups = equal_texts([record.text for record in records], [record.pair for record in records])
    if groups is None:
        return
    ends = np.cumsum([len(part) for part in rows.values()])
    names = {split: [repr(record.text[:_SHOWN]) for record in part] for split, part in rows.items()}
    warn_of_copies(names, dict(zip(rows, np.split(groups, ends[:-1]), strict=True)), source)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
