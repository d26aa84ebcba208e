"""Which tensors of its base an adapter's names mean, through the layout of the library that stores the base."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import zoo
from zoo_peft.tensors import AdapterFile, Pair

Place = tuple[str, tuple[int, int]]
"""A tensor of ours, and which of several parts of it."""


class Stored(NamedTuple):
    """One tensor of the base's files: its name there, its shape, and which axes of it are those of ours."""

    name: str
    shape: tuple[int, ...]
    axes: tuple[int, ...] | None

    @property
    def ours(self) -> tuple[int, ...]:
        """Its shape with the outputs first."""
        return self.shape if self.axes is None else tuple(self.shape[axis] for axis in self.axes)


@dataclass(frozen=True)
class Base:
    """The weights that an adapter corrects. `layout` is None where they have our names."""

    folder: Path
    layout: zoo.Layout | None
    headers: Mapping[str, Any]

    @classmethod
    def opened(cls, folder: Path) -> "Base":
        """Open the folder of a base."""
        return cls(folder, zoo.layout_of(folder), zoo.stored_tensors(folder).headers)

    @property
    def renames(self) -> tuple[zoo.Rename, ...]:
        """The pairs of names: those of modules, then those of tensors in files."""
        return () if self.layout is None else (*self.layout.built, *self.layout.renames)

    @cached_property
    def places(self) -> dict[Place, Stored]:
        """Every tensor by what it is of ours."""
        found = {}
        for name, header in self.headers.items():
            ours = zoo.to_ours(name, self.renames)
            axes = _moved(ours.axes, len(header.shape))
            found[ours.name, ours.part] = Stored(name, tuple(header.shape), axes)
        return found

    def place_of(self, name: str) -> Place:
        """Return which tensor of ours one is that an adapter names."""
        ours = zoo.to_ours(name, self.renames)
        return ours.name, ours.part

    def corrected(self, adapter: AdapterFile, pair: Pair) -> tuple[Place, Stored]:
        """Return the tensor that a pair corrects. Raise IntegrityError where the base has none, or of another shape."""
        place = self.place_of(f"{pair.module}.weight")
        found, name = self.places.get(place), ascii(pair.module)[1:-1][:80]
        if found is None:
            raise zoo.IntegrityError(
                f"{adapter.path} corrects {name}, which its base {self.folder} does not have; get the base that it "
                "was trained on"
            )
        headers = adapter.stored.headers
        down, up = headers[pair.down].shape, headers[pair.up].shape
        fits = math.prod(down[1:]) == math.prod(found.ours[1:]) and up[0] == found.ours[0] == math.prod(up) // up[1]
        if len(found.ours) not in (2, 4) or not fits:
            raise zoo.IntegrityError(
                f"{adapter.path} corrects {name} by {list(up)} times {list(down)}, and its base {self.folder} has "
                f"{list(found.ours)} there; get the base that it was trained on"
            )
        if pair.magnitude is not None and math.prod(headers[pair.magnitude].shape) != found.ours[0]:
            raise zoo.IntegrityError(
                f"{adapter.path} has not one magnitude for each output of {name}; get a fresh copy"
            )
        return place, found

    @cached_property
    def prefixes(self) -> set[str]:
        """What the library puts before the names of the model alone, where a head is beside it."""
        return {found[1] for rename in self.renames if (found := re.match(r"\[(\w+\.)\]", rename.source))}

    def in_model(self, name: str) -> bool:
        """Tell whether a tensor belongs to the model itself rather than to the head of a task."""
        return not self._prefixed or name.startswith(tuple(self.prefixes))

    @cached_property
    def _prefixed(self) -> bool:
        return any(name.startswith(tuple(self.prefixes)) for name in self.headers)

    def in_classifier(self, place: Place) -> bool:
        """Tell whether a tensor of ours is the classifier's, which may have other classes than that of the base."""
        return self.layout is not None and place[0].rpartition(".")[0] == self.layout.classifier.rpartition(".")[0]


def _moved(axes: tuple[int | tuple[int, ...], ...] | None, dimensions: int) -> tuple[int, ...] | None:
    """Return the axes that make ours of theirs; None where a tensor of so many dimensions stays as it is."""
    if axes is None or len(axes) != dimensions:
        return None
    return tuple(axis if isinstance(axis, int) else axis[0] for axis in axes)
