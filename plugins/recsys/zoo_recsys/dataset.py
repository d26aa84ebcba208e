"""Interactions in splits, as models learn from them and as they are scored: keeps `zoo.Dataset`."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

import zoo
from zoo_recsys.options import InteractionOptions
from zoo_recsys.rows import Chosen, Rows, held_out

Samples = Literal["users", "rows"]
"""What a sample of the training split is: a user with all items, or one row of a user and an item."""
_SCORED_AT_ONCE = 2**26


@dataclass(frozen=True)
class UserSplit(zoo.ArraySplit):
    """Samples whose evaluation makes a number for each of `catalog` items."""

    catalog: int = 1

    def evaluation_batch_size(self, batch_size: int) -> int:
        """Return how many users are scored at once: as many as memory has room for."""
        return max(1, min(4096, _SCORED_AT_ONCE // self.catalog))


@dataclass(frozen=True, kw_only=True)
class InteractionDataset:
    """What users met, in the numbers of a vocabulary, -1 for an item that it lacks; who of them is known has a number.

    `tested` says which rows are to test on; those of `validated` are held out of the others. Sequences are learnt from
    as far as their last `longest` items; None is for models that take all at once.
    """

    name: str
    source: str
    license: str
    fingerprint: str
    rows: Rows
    known_users: Any
    catalog: int
    options: InteractionOptions
    samples: Samples
    longest: int | None
    tested: Chosen
    validated: Chosen | None = None
    classes: tuple[str, ...] = ()
    labelled: bool = False

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            if not len(self.splits[split]):
                raise zoo.DataError(
                    f"{self.source} has nothing to {split} on with split={self.options.split}; give more rows, or "
                    "another --data-set split"
                )

    @cached_property
    def splits(self) -> Mapping[str, zoo.ArraySplit]:
        """Return the splits: to train on, and what to tell from the items before."""
        known = self.rows.items >= 0
        learnt = ~self.tested if self.validated is None else ~self.tested & ~self.validated
        found = {"train": self._to_learn(self.rows.take(learnt & known)), "test": self._to_tell(self.tested)}
        if self.validated is not None:
            found["validation"] = self._to_tell(self.validated, without=self.tested)
        return found

    def check(self, target: str) -> None:
        """Accept what a recommendation learns from: the items themselves."""
        if target != "items":
            raise zoo.DataError(f"{self.source} has no {target}; choose another --task")

    def subset(self, labels: int, seed: int) -> "InteractionDataset":
        """Raise UsageError: nothing here is labelled."""
        raise zoo.UsageError("interactions have no labels to take some of; leave --labels out")

    def hold_out(self, share: float, seed: int) -> "InteractionDataset":
        """Hold a share of the training rows out, split as the test split is."""
        return replace(self, validated=validation_rows(self.rows, self.tested, self.options, share, seed, self.source))

    def _to_learn(self, rows: Rows) -> zoo.ArraySplit:
        if self.samples == "rows":
            known = self.known_users[rows.users]
            columns: dict[str, Any] = {"users": known[known >= 0], "item": rows.items[known >= 0].astype(np.int64)}
            return UserSplit(columns, catalog=self.catalog)
        histories = rows.histories()
        users = np.flatnonzero(histories.lengths >= (1 if self.longest is None else 2))
        columns = {"users": users, "items": _taken(histories, users, self.longest)}
        return UserSplit(columns, fill=self.catalog, catalog=self.catalog)

    def _to_tell(self, chosen: Chosen, without: Chosen | None = None) -> zoo.ArraySplit:
        """Return each user of the chosen rows, with the items before, and those to be told from them."""
        before = ~chosen if without is None else ~chosen & ~without
        known = self.rows.items >= 0
        held, items = self.rows.take(chosen & known).histories(), self.rows.take(before & known).histories()
        relevant = np.bincount(self.rows.users[chosen], minlength=len(held))
        users = np.flatnonzero(relevant)
        columns = {
            "users": self.known_users[users],
            "items": _taken(items, users),
            "held": _taken(held, users),
            "relevant": relevant[users],
        }
        return UserSplit(columns, fill=self.catalog, catalog=self.catalog)


def validation_rows(
    rows: Rows, tested: Chosen, options: InteractionOptions, share: float, seed: int, source: str
) -> Chosen:
    """Return which of the rows that are not tested on are held out."""
    places = np.flatnonzero(~tested)
    chosen = held_out(rows.take(~tested), options, share, seed, source)
    found = np.zeros(len(rows), bool)
    found[places[chosen]] = True
    return found


def fingerprint(rows: Rows, tested: Chosen) -> str:
    """Return the sha256 over names, rows, times and what is tested on."""
    digest = hashlib.sha256()
    for names in (rows.user_names, rows.item_names):
        for name in names:
            digest.update(f"{len(name)} {name}".encode())
    for column in (rows.users, rows.items, rows.times, tested):
        if column is not None:
            digest.update(np.ascontiguousarray(column).data)
    return digest.hexdigest()


def _taken(histories: zoo.Ragged, users: Any, longest: int | None = None) -> zoo.Ragged:
    """Return the rows of these users at once, of each at most so many items at its end."""
    lengths = histories.lengths[users]
    if longest is not None:
        lengths = np.minimum(lengths, longest)
    starts = np.zeros(len(users) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    places = np.arange(starts[-1]) + np.repeat(histories.starts[1:][users] - starts[1:], lengths)
    return zoo.Ragged(histories.values[places], starts)
