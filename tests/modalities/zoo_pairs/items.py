"""How what users took becomes inputs: by items.json, which travels beside weights."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import torch
from msgspec import Meta, Struct
from torch import Generator, Tensor

import zoo

ITEMS_FILE = "items.json"
_LARGEST = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The columns of a table that say who took what."""

    user: str = "user"
    item: str = "item"


class ItemsRecord(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Items are numbered from 1 by the items.json of this sha256; the last `longest` count."""

    items: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    longest: Annotated[int, Meta(ge=1, le=1_000_000)]


@dataclass(frozen=True)
class Items:
    """The items that a model knows, and how many of a user's it looks at; keeps `zoo.Inputs`."""

    modality: ClassVar[str] = "preferences"

    names: tuple[str, ...]
    longest: int

    @property
    def content(self) -> bytes:
        return msgspec.json.encode(self.names)

    def record(self) -> ItemsRecord:
        return ItemsRecord(items=hashlib.sha256(self.content).hexdigest(), longest=self.longest)

    def write(self, folder: Path) -> None:
        zoo.write_file(folder / ITEMS_FILE, self.content)

    def model_arguments(self) -> dict[str, Any]:
        return {"num_items": len(self.names)}

    def example(self, count: int, random: Generator) -> dict[str, Tensor]:
        return {"items": torch.randint(1, len(self.names) + 1, (count, self.longest), generator=random)}

    def describe(self) -> str:
        return f"Input: numbers of items by the items.json beside, the last {self.longest} of each user, 0 to fill up."

    def with_new(self, others: "Items") -> "Items":
        """Return these items, and behind them those that others have besides."""
        return Items((*self.names, *(name for name in others.names if name not in self.names)), self.longest)

    def numbers(self, names: Iterable[str]) -> list[int]:
        """Return the numbers of the items that are known, the last ones."""
        places = {name: place for place, name in enumerate(self.names, 1)}
        return [places[name] for name in names if name in places][-self.longest :]


def read_items(folder: Path, record: ItemsRecord) -> Items:
    """Read the items that weights know. Raise NotFoundError or IntegrityError where they are not the ones."""
    path = folder / ITEMS_FILE
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST)
    except FileNotFoundError:
        raise zoo.NotFoundError(f"no {ITEMS_FILE} in {folder}; get it from where the weights came") from None
    if (found := hashlib.sha256(content).hexdigest()) != record.items:
        raise zoo.IntegrityError(
            f"{path} has sha256 {found}, and config.json asks for {record.items}; get a fresh copy"
        )
    return Items(msgspec.json.decode(content, type=tuple[str, ...]), record.longest)
