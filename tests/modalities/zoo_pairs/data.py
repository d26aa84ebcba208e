"""Pairs of a user and an item: read from tables, or made."""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from zoo_pairs.items import Columns, Items

_USERS, _GENRES, _ITEMS, _TAKEN = 300, 6, 10, 8
Taken = Mapping[str, list[str]]
"""What each user took, in order."""


@dataclass(frozen=True, kw_only=True)
class Users:
    """Users and what they took."""

    name: str
    source: str
    taken: Taken
    license: str = "unknown"


def pairs(data_dir: Path | None) -> Users:
    """Make the data set `pairs`, always the same: users keep to one genre, but for one item in eight."""
    random = np.random.default_rng(0)
    taken = {}
    for user in range(_USERS):
        genres = [user % _GENRES] * (_TAKEN - 1) + [int(random.integers(_GENRES))]
        items = random.permutation(_ITEMS)[:_TAKEN]
        named = [f"g{genre}-i{item}" for genre, item in zip(genres, items, strict=True)]
        taken[f"u{user}"] = [named[place] for place in random.permutation(_TAKEN)]
    return Users(name="pairs", source="pairs", taken=taken, license="CC0-1.0")


def read_users(path: Path, columns: Columns) -> Users:
    """Read a table, or all tables of a folder. Raise DataError where one lacks a column."""
    taken: dict[str, list[str]] = {}
    for file in sorted(path.glob("*.csv")) if path.is_dir() else [path]:
        for user, item in _rows(file, columns):
            taken.setdefault(user, []).append(item)
    if not taken:
        raise zoo.DataError(f"no pairs in {path}; give a CSV table with the columns {columns.user} and {columns.item}")
    return Users(name=path.resolve().stem, source=str(path), taken=taken)


def _rows(path: Path, columns: Columns) -> Iterator[tuple[str, str]]:
    try:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                yield row[columns.user], row[columns.item]
    except KeyError as error:
        raise zoo.DataError(f"{path} has no column {error}; say which: --data-set user=COLUMN, item=COLUMN") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise zoo.DataError(f"{path} cannot be read: {error}; give a CSV table in UTF-8") from None


def known_items(users: Users) -> Items:
    """Return all items that anybody took."""
    names = {item for items in users.taken.values() for item in items}
    return Items(tuple(sorted(names)), max(len(items) for items in users.taken.values()))


def as_dataset(users: Users, items: Items) -> zoo.ArrayDataset:
    """Return what users took in numbers, without the last item, and that as what comes next; a fifth is to test on."""
    rows: dict[str, list[list[int]]] = {"train": [], "test": []}
    for user, taken in users.taken.items():
        if len(numbers := items.numbers(taken)) > 1:
            rows["test" if hashlib.sha256(user.encode()).digest()[0] < 51 else "train"].append(numbers)
    if not rows["train"] or not rows["test"]:
        raise zoo.DataError(f"{users.source} has too few users with two or more items that are known; give more")
    splits = {}
    for split, histories in rows.items():
        columns: dict[str, Any] = {
            "items": zoo.Ragged.of([numbers[:-1] for numbers in histories], np.uint32),
            "next": np.array([numbers[-1] for numbers in histories], np.int64),
        }
        splits[split] = zoo.ArraySplit(columns)
    return zoo.ArrayDataset(name=users.name, splits=splits, source=users.source, license=users.license)
