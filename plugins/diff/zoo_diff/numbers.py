"""How far the numbers of one tensor are from those of another, read piece by piece."""

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DECADES = range(-10, 4)
"""Powers of ten by which the sizes of changes are counted; what is smaller or larger counts with the outermost."""

_WINDOW = 8 << 20
_WORDS = 1 << 15
_VALUES = 1 << 13
"""So many at a time, which stay in the processor's cache; numpy's larger arrays would be fresh pages each time."""

_FLAGS = mmap.MAP_SHARED | getattr(mmap, "MAP_POPULATE", 0)
_NUMPY = {
    "BOOL": "?", "U8": "u1", "I8": "i1", "U16": "<u2", "I16": "<i2", "U32": "<u4", "I32": "<i4", "U64": "<u8",
    "I64": "<i8", "F16": "<f2", "F32": "<f4", "F64": "<f8", "C64": "<c8",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One tensor in a file; `size` is in bytes."""

    file: Path
    offset: int
    dtype: str
    shape: tuple[int, ...]
    size: int

    @property
    def count(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Numbers:
    """What the values of a tensor changed by.

    `norm` is that of the difference, `relative` the same over the norm before (None where that is 0), `largest` the
    largest change of a value, `share` how many of the values changed, `histogram` how many changed by at least
    10 ** decade and less than the next. `not_finite` values, of which one is NaN or infinite, count as changed alone.
    """

    norm: float
    relative: float | None
    largest: float
    share: float
    not_finite: int
    histogram: dict[int, int]


def compare(before: Place, after: Place) -> Numbers | None:
    """Return how far two tensors of one shape are apart; None where they are equal, to the bit where their types are.

    At most a few megabytes are in memory, whatever the tensors' sizes.
    """
    if before.dtype == after.dtype and _same_bytes(before, after):
        return None
    total = _Sums()
    for left, right in zip(_values(before), _values(after), strict=True):
        differs = left.bits != right.bits if before.dtype == after.dtype else left.numbers != right.numbers
        total.add(left.numbers, right.numbers, int(np.count_nonzero(differs)))
    return total.numbers(before.count) if total.changed else None


class _Sums:
    """What is added up over the pieces of a tensor."""

    def __init__(self) -> None:
        self.changed = self.not_finite = 0
        self.squares = self.squares_before = self.largest = 0.0
        self.counts = np.zeros(len(DECADES), int)

    def add(self, before: NDArray[Any], after: NDArray[Any], changed: int) -> None:
        """Add a piece."""
        self.changed += changed
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is not finite is left out below
            moved = np.abs(after - before)
            finite = np.isfinite(moved)
            if not finite.all():
                self.not_finite += int(np.count_nonzero(~finite))
                before, moved = before[finite], moved[finite]
            decades = np.floor(np.log10(moved[moved > 0], dtype="f8"))
        size = np.abs(before).ravel()
        self.squares += float(moved @ moved)
        self.squares_before += float(size @ size)
        self.largest = max(self.largest, float(moved.max(initial=0.0)))
        places = np.clip(decades, DECADES[0], DECADES[-1]).astype(int) - DECADES[0]
        self.counts += np.bincount(places, minlength=len(DECADES))

    def numbers(self, count: int) -> Numbers:
        """Return what has been added up, for a tensor of `count` values."""
        norm, before = self.squares**0.5, self.squares_before**0.5
        histogram = {decade: int(found) for decade, found in zip(DECADES, self.counts, strict=True) if found}
        return Numbers(
            norm, norm / before if before else None, self.largest, self.changed / count, self.not_finite, histogram
        )


def _same_bytes(before: Place, after: Place) -> bool:
    for left, right in zip(_windows(before), _windows(after), strict=True):
        kind = "u8" if len(left) % 8 == 0 else "u1"
        one, other = np.frombuffer(left, kind), np.frombuffer(right, kind)
        if not all(np.array_equal(one[at : at + _WORDS], other[at : at + _WORDS]) for at in range(0, len(one), _WORDS)):
            return False
    return True


@dataclass(frozen=True)
class _Piece:
    bits: NDArray[Any]
    numbers: NDArray[Any]


def _values(place: Place) -> Iterator[_Piece]:
    """Yield values, so many at a time whatever their type, so that two tensors of other types go side by side."""
    if not place.count:
        return
    size = place.size // place.count
    for window in _windows(place, _WINDOW // 8 * size):
        bits = np.frombuffer(window, f"<u{size}")
        for at in range(0, len(bits), _VALUES):
            piece = bits[at : at + _VALUES]
            yield _Piece(piece, _as_numbers(piece, place.dtype))


def _as_numbers(bits: NDArray[Any], dtype: str) -> NDArray[Any]:
    if dtype == "BF16":
        return (bits.astype("<u4") << 16).view("<f4").astype("<f8")
    if dtype.startswith("F8_"):
        return np.take(_eighths(dtype), bits)
    values = bits.view(_NUMPY[dtype])
    return values.astype("<c16" if dtype == "C64" else "<f8")


@cache
def _eighths(dtype: str) -> NDArray[Any]:
    """Return the value of each of the 256 floats of 8 bits."""
    import torch

    names = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2, "F8_E8M0": torch.float8_e8m0fnu}
    table: NDArray[Any] = torch.arange(256, dtype=torch.uint8).view(names[dtype]).float().double().numpy()
    return table


def _windows(place: Place, most: int = _WINDOW) -> Iterator[memoryview]:
    """Yield a tensor's bytes, mapped window by window; none may be larger than `most`."""
    with open(place.file, "rb") as file:
        for start in range(0, place.size, most):
            wanted = min(most, place.size - start)
            page = (place.offset + start) // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
            before = place.offset + start - page
            window = mmap.mmap(file.fileno(), before + wanted, _FLAGS, mmap.PROT_READ, offset=page)
            yield memoryview(window)[before : before + wanted]
