"""Rows of users and items in numbers, sorted by user and then by time; thinned and split."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import zoo
from zoo.commands.output import counted
from zoo_recsys.options import InteractionOptions

_log = logging.getLogger("zoo")

Numbers = NDArray[np.int32]
Chosen = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Who met what: numbers of users and of items, their names, and the times where they are known.

    Sorted by user, then by time, then as they were read.
    """

    users: Numbers
    items: Numbers
    user_names: Sequence[str]
    item_names: Sequence[str]
    times: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.users)

    def take(self, chosen: Chosen) -> "Rows":
        """Return the rows that are chosen; numbers stay what they are."""
        times = None if self.times is None else self.times[chosen]
        return replace(self, users=self.users[chosen], items=self.items[chosen], times=times)

    def histories(self) -> zoo.Ragged:
        """Return the items of each user, in their order; a row for every user's number."""
        starts = np.zeros(len(self.user_names) + 1, np.int64)
        np.cumsum(np.bincount(self.users, minlength=len(self.user_names)), out=starts[1:])
        return zoo.Ragged(self.items.astype(np.int64), starts)


def ordered(rows: Rows) -> Rows:
    """Return rows sorted, with the last one alone of those that have the same user and item."""
    order = None if rows.times is None else stable_order(rows.times)
    by_user = stable_order(rows.users if order is None else rows.users[order])
    order = by_user if order is None else order[by_user]
    keys = rows.users[order] * np.int64(len(rows.item_names)) + rows.items[order]
    by_key = stable_order(keys)
    in_turn = keys[by_key]
    last = np.ones(len(keys), bool)
    np.not_equal(in_turn[1:], in_turn[:-1], out=last[:-1])
    kept = np.zeros(len(keys), bool)
    kept[by_key[last]] = True
    del keys, by_key, in_turn, last
    if (twice := len(kept) - int(kept.sum())) > 0:
        _log.warning("left out %s, whose user and item a later one repeats", counted(twice, "row"))
    places: Any = order[kept]
    times = None if rows.times is None else rows.times[places]
    return replace(rows, users=rows.users[places], items=rows.items[places], times=times)


def stable_order(keys: NDArray[Any]) -> NDArray[np.int64]:
    """Return the order of keys, equal ones as they stand.

    Whole numbers are sorted with their places behind them, many times faster than numpy's stable sort.
    """
    count = np.int64(max(1, len(keys)))
    if len(keys) and (keys.dtype.kind == "i" or not (keys % 1).any()):
        lowest = keys.min()
        if float(keys.max()) - float(lowest) < 2**62 / float(count):
            found: NDArray[np.int64] = (keys - lowest).astype(np.int64)
            found *= count
            found += np.arange(count)
            found.sort()
            found %= count
            return found
    return np.argsort(keys, kind="stable")


def thinned(rows: Rows, core: int) -> Rows:
    """Return the k-core: rows of users and items that have `core` rows or more each. Say how many rows went."""
    before = len(rows)
    while core > 1:
        users = np.bincount(rows.users, minlength=len(rows.user_names))
        items = np.bincount(rows.items, minlength=len(rows.item_names))
        kept = (users[rows.users] >= core) & (items[rows.items] >= core)
        if kept.all():
            break
        rows = rows.take(kept)
    if core > 1:
        _log.warning("core=%d left %s of %s rows", core, f"{len(rows):,}", f"{before:,}")
    return rows


def held_out(rows: Rows, options: InteractionOptions, share: float, seed: int, source: str) -> Chosen:
    """Return which rows are held out: a share of them, as the options split.

    Of each user, or item, one row stays. Raise DataError where times are asked for and not known.
    """
    if options.split in ("last", "time"):
        if rows.times is None:
            raise zoo.DataError(
                f"{source} has no times, which split={options.split} needs; name their column: --data-set time=COLUMN"
            )
        return _last(rows) if options.split == "last" else _latest(rows.times, share)
    drawn = np.argsort(np.random.default_rng(seed).random(len(rows)), kind="stable")
    if options.split == "random":
        chosen = np.zeros(len(rows), bool)
        chosen[drawn[: round(len(rows) * share)]] = True
        return chosen
    return _of_each(rows.users if options.split == "user" else rows.items, drawn, share)


def _of_each(groups: Numbers, drawn: NDArray[np.int64], share: float) -> Chosen:
    """Return a share of each group's rows, those drawn first; one row of each stays."""
    order = drawn[stable_order(groups[drawn])]
    sizes = np.bincount(groups)
    counts = np.minimum(np.rint(sizes * share).astype(np.int64), np.maximum(sizes - 1, 0))
    starts = np.cumsum(sizes) - sizes
    sorted_groups = groups[order]
    chosen = np.zeros(len(groups), bool)
    chosen[order] = np.arange(len(groups)) - starts[sorted_groups] < counts[sorted_groups]
    return chosen


def behind(rows: Rows, tested: Chosen) -> Chosen:
    """Return which of the tested rows come after all others of their user."""
    places = np.arange(len(rows))
    last = np.full(len(rows.user_names), -1, np.int64)
    np.maximum.at(last, rows.users[~tested], places[~tested])
    found: Chosen = tested & (places > last[rows.users])
    return found


def _last(rows: Rows) -> Chosen:
    """Return the last row of each user who has more than one."""
    last = np.ones(len(rows), bool)
    last[:-1] = rows.users[1:] != rows.users[:-1]
    alone = np.bincount(rows.users, minlength=len(rows.user_names))[rows.users] == 1
    chosen: Chosen = last & ~alone
    return chosen


def _latest(times: NDArray[np.float64], share: float) -> Chosen:
    """Return the rows behind the time up to which the others lie; rows of one time stay together."""
    chosen: Chosen = times > np.quantile(times, 1 - share, method="lower")
    return chosen
