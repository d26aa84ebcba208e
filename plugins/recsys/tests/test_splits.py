"""Rows are split as the field splits them."""

from typing import Any

import numpy as np
import pytest
from zoo_recsys.options import InteractionOptions
from zoo_recsys.rows import Rows, behind, held_out, ordered

import zoo

RANDOM = np.random.default_rng(0)
USERS = np.repeat(np.arange(40), RANDOM.integers(1, 30, 40)).astype(np.int32)


def rows(times: Any = None) -> Rows:
    items = np.concatenate([RANDOM.permutation(50)[: (USERS == user).sum()] for user in range(40)]).astype(np.int32)
    names = [str(number) for number in range(50)]
    return ordered(Rows(users=USERS, items=items, user_names=names[:40], item_names=names, times=times))


def split(given: Rows, kind: Any, share: float = 0.25, seed: int = 0) -> Any:
    return held_out(given, InteractionOptions(split=kind), share, seed, "table")


@pytest.mark.parametrize("kind", ["user", "item"])
def test_of_each_a_share_is_held_out_and_one_row_stays(kind: str) -> None:
    given = rows()
    chosen = split(given, kind)
    groups = given.users if kind == "user" else given.items
    for group in np.unique(groups):
        size = int((groups == group).sum())
        assert chosen[groups == group].sum() == min(round(size * 0.25), size - 1)


def test_seeds_decide() -> None:
    given = rows()
    assert (split(given, "user") == split(given, "user")).all()
    assert (split(given, "user") != split(given, "user", seed=1)).any()


def test_random_takes_the_share() -> None:
    assert split(rows(), "random").sum() == round(len(USERS) * 0.25)


def test_last_is_the_last_of_each_who_has_two() -> None:
    given = rows(RANDOM.permutation(len(USERS)).astype(np.float64))
    assert given.times is not None
    chosen = split(given, "last")
    for user in range(40):
        mine = given.users == user
        assert chosen[mine].sum() == (mine.sum() > 1)
        if mine.sum() > 1:
            assert given.times[mine & chosen] == given.times[mine].max()


def test_time_is_the_same_for_all() -> None:
    given = rows(RANDOM.permutation(len(USERS)).astype(np.float64))
    assert given.times is not None
    chosen = split(given, "time")
    assert given.times[chosen].min() > given.times[~chosen].max()
    assert abs(chosen.mean() - 0.25) < 0.01


@pytest.mark.parametrize("kind", ["last", "time"])
def test_times_are_asked_for(kind: str) -> None:
    with pytest.raises(zoo.DataError, match=f"has no times, which split={kind} needs"):
        split(rows(), kind)


@pytest.mark.parametrize("kind", ["user", "item", "random", "last"])
def test_what_comes_after_all_others_is_told(kind: str) -> None:
    given = rows(RANDOM.permutation(len(USERS)).astype(np.float64))
    chosen = split(given, kind)
    expected = [
        bool(tested) and not (~chosen[place:] & (given.users[place:] == user)).any()
        for place, (user, tested) in enumerate(zip(given.users, chosen, strict=True))
    ]
    assert behind(given, chosen).tolist() == expected
    assert (behind(given, chosen) == chosen).all() == (kind == "last")
