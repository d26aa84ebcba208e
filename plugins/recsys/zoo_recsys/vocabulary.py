"""How interactions become inputs: items, and of some models users, by numbers that travel beside weights."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
import torch
from msgspec import Meta, Struct
from torch import Generator, Tensor

import zoo

ITEMS_FILE, USERS_FILE = "items.json", "users.json"
_LARGEST = 2**30
_EXAMPLE_ITEMS = 20
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Form = Literal["bag", "sequence"]


class ItemTable(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What items.json holds: by number each item's name, its title or "", and how many training rows it has."""

    names: tuple[str, ...]
    titles: tuple[str, ...]
    counts: tuple[Annotated[int, Meta(ge=0)], ...]


class VocabularyRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Items are numbered from 0 by the items.json of this sha256, and users by users.json where the model has them.

    A model takes a `bag`, 1 for each item of a user and else 0, or a `sequence`, the numbers of the last `max_items`.
    """

    items: Sha256
    form: Form
    max_items: Annotated[int, Meta(ge=1, le=1_000_000)]
    users: Sha256 | None = None


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The items that a model knows, and its users where it knows them; keeps `zoo.Inputs`.

    `training` has the items of each user who is learnt from, by number, where data were opened to train on.
    """

    modality: ClassVar[str] = "interactions"

    table: ItemTable
    form: Form
    max_items: int
    user_names: tuple[str, ...] | None = None
    training: zoo.Ragged | None = field(default=None, compare=False)

    @cached_property
    def items_content(self) -> bytes:
        """What items.json holds."""
        return msgspec.json.encode(self.table)

    @cached_property
    def users_content(self) -> bytes | None:
        """What users.json holds."""
        return None if self.user_names is None else msgspec.json.encode(self.user_names)

    def record(self) -> VocabularyRecord:
        users = None if self.users_content is None else hashlib.sha256(self.users_content).hexdigest()
        items = hashlib.sha256(self.items_content).hexdigest()
        return VocabularyRecord(items=items, form=self.form, max_items=self.max_items, users=users)

    def write(self, folder: Path) -> None:
        zoo.write_file(folder / ITEMS_FILE, self.items_content)
        if self.users_content is not None:
            zoo.write_file(folder / USERS_FILE, self.users_content)

    def model_arguments(self) -> dict[str, Any]:
        users = {} if self.user_names is None else {"users": len(self.user_names)}
        return {"items": len(self.table.names), "max_items": self.max_items, **users}

    def example(self, count: int, random: Generator) -> dict[str, Tensor]:
        size = min(_EXAMPLE_ITEMS, self.max_items)
        items = torch.randint(len(self.table.names), (count, size), generator=random)
        if self.form == "sequence":
            return {"input_ids": items, "attention_mask": torch.ones_like(items)}
        return {"history": torch.zeros(count, len(self.table.names)).scatter_(1, items, 1.0)}

    def describe(self) -> str:
        known = f"{len(self.table.names):,} items by the {ITEMS_FILE} beside"
        if self.form == "sequence":
            return f"Input: numbers of the last {self.max_items} items of a user, in their order; {known}."
        return f"Input: 1 for each item of a user and else 0, shape (batch, {len(self.table.names)}); {known}."

    @cached_property
    def counts(self) -> Tensor:
        """How many training rows each item has."""
        return torch.tensor(self.table.counts, dtype=torch.float32)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each item by its name."""
        return {name: number for number, name in enumerate(self.table.names)}

    @cached_property
    def user_numbers(self) -> Mapping[str, int]:
        """The number of each user by name; nothing where the model knows none."""
        return {name: number for number, name in enumerate(self.user_names or ())}

    @cached_property
    def _titled(self) -> Mapping[str, list[int]]:
        """The numbers of items by their titles, with the year and without."""
        found: dict[str, list[int]] = {}
        for number, title in enumerate(self.table.titles):
            whole = title.casefold()
            for form in {whole, whole.rpartition(" (")[0]} - {""}:
                found.setdefault(form, []).append(number)
        return found

    def find(self, said: str) -> int:
        """Return the number of an item by its name or title. Raise UsageError where none, or several, are called so."""
        if said in self.numbers:
            return self.numbers[said]
        found = self._titled.get(said.strip().casefold(), [])
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(f"{self.table.names[number]} ({self.table.titles[number]})" for number in found[:5])
            raise zoo.UsageError(f"{len(found)} items are called {said!r}: {names}; give the one that is meant by name")
        near = _nearest(said.casefold(), self._titled)
        meant = f"; did you mean {near!r}?" if near else f"; {ITEMS_FILE} beside the weights lists them"
        raise zoo.UsageError(f"no item {said!r} among the {len(self.table.names):,} that these weights know{meant}")

    def find_all(self, said: str) -> list[int]:
        """Return the items that are typed with commas between them; a title with a comma stands in quotation marks."""
        if said in self.numbers or said.strip().casefold() in self._titled:
            return [self.find(said)]
        (parts,) = csv.reader([said], skipinitialspace=True)
        return [self.find(part) for part in parts if part.strip()]

    def title(self, number: int) -> str:
        """Return what a person calls an item."""
        return self.table.titles[number] or self.table.names[number]


def make_vocabulary(
    names: Sequence[str],
    titles: Mapping[str, str],
    counts: Any,
    *,
    form: Form,
    max_items: int,
    users: Sequence[str] | None,
    training: zoo.Ragged,
) -> Vocabulary:
    """Return the vocabulary of data that a fresh model learns from."""
    table = ItemTable(
        names=tuple(names),
        titles=tuple(titles.get(name, "") for name in names),
        counts=tuple(int(count) for count in counts),
    )
    known = None if users is None else tuple(users)
    return Vocabulary(table=table, form=form, max_items=max_items, user_names=known, training=training)


def read_vocabulary(folder: Path, record: VocabularyRecord) -> Vocabulary:
    """Read what weights know. Raise NotFoundError or IntegrityError where the files beside them are not the ones."""
    path = folder / ITEMS_FILE
    try:
        table = msgspec.json.decode(_content(path, record.items), type=ItemTable)
        users = None
        if record.users is not None:
            path = folder / USERS_FILE
            users = msgspec.json.decode(_content(path, record.users), type=tuple[str, ...])
    except msgspec.DecodeError as error:
        raise zoo.IntegrityError(f"{path} is not what zoo-recsys writes: {error}; get a fresh copy") from None
    if not len(table.names) == len(table.titles) == len(table.counts):
        raise zoo.IntegrityError(f"{folder / ITEMS_FILE} has lists of different lengths; get a fresh copy")
    return Vocabulary(table=table, form=record.form, max_items=record.max_items, user_names=users)


def _content(path: Path, sha256: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST)
    except FileNotFoundError:
        raise zoo.NotFoundError(f"no {path.name} in {path.parent}; get it from where the weights came") from None
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise zoo.IntegrityError(f"{path} has sha256 {found}, and config.json asks for {sha256}; get a fresh copy")
    return content


def _nearest(said: str, titles: Iterable[str]) -> str | None:
    import difflib

    found = difflib.get_close_matches(said, list(titles), n=1, cutoff=0.7)
    return found[0] if found else None


def numbered(names: Sequence[str], known: Mapping[str, int]) -> Any:
    """Return for each name its number among the known ones, -1 where it is not."""
    return np.fromiter((known.get(name, -1) for name in names), np.int64, len(names))
