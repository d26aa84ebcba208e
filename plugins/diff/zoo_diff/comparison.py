"""Compare two sets of weights: their tensors, what config.json says, scores, the card, and the files beside."""

import difflib
import filecmp
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import zoo
from zoo_diff.numbers import Numbers, Place, compare

THREADS = 2
"""More read no faster from one disk, and each holds two pieces in memory."""

_CONFIG, _CARD = "config.json", "README.md"
_LARGEST_CARD = 1 << 20


@dataclass(frozen=True)
class TensorChange:
    """One tensor that is not the same. `kind` "changed" is the only one without a change of shape or type."""

    name: str
    kind: Literal["added", "removed", "reshaped", "retyped", "changed"]
    before: Place | None
    after: Place | None
    numbers: Numbers | None


@dataclass(frozen=True)
class Difference:
    """What changed from one set of weights to another.

    `tensors` are in the order of their names, of `total` in both together. `config` and `scores` have the value before
    and after, None where there is none, by the path of the key. `card` has the lines of a unified diff, and `files` the
    names of other files, with what happened to them.
    """

    before: Path
    after: Path
    total: int
    tensors: tuple[TensorChange, ...]
    config: dict[str, tuple[Any, Any]]
    scores: dict[str, tuple[float | None, float | None]]
    card: tuple[str, ...]
    files: dict[str, str]

    def __bool__(self) -> bool:
        """Say whether anything changed."""
        return bool(self.tensors or self.config or self.scores or self.card or self.files)


def difference(before: Path, after: Path) -> Difference:
    """Compare two weights folders, or files of tensors."""
    tensors, total = tensor_changes(before, after)
    card = difflib.unified_diff(_card(before), _card(after), "before", "after", lineterm="", n=1)
    return Difference(
        before,
        after,
        total,
        tensors,
        _changes(_flat(_config(before)), _flat(_config(after))),
        _changes(_scores(before), _scores(after)),
        tuple(card),
        _files(before, after),
    )


def as_json(found: Difference) -> dict[str, Any]:
    """Return a difference as JSON has it: without the paths on this machine of single tensors."""

    def described(place: Place | None) -> dict[str, Any] | None:
        return None if place is None else {"dtype": place.dtype, "shape": list(place.shape)}

    tensors = [
        {
            "name": change.name,
            "kind": change.kind,
            "before": described(change.before),
            "after": described(change.after),
            **(asdict(change.numbers) if change.numbers else {}),
        }
        for change in found.tensors
    ]
    return {**vars(found), "before": str(found.before), "after": str(found.after), "tensors": tensors}


def tensor_changes(before: Path, after: Path) -> tuple[tuple[TensorChange, ...], int]:
    """Return the tensors that are not the same, by name, and how many there are in both together."""
    was, now = _places(before), _places(after)
    names = sorted(was.keys() | now.keys())
    with ThreadPoolExecutor(THREADS) as threads:
        changes = list(threads.map(lambda name: _change(name, was.get(name), now.get(name)), names))
    return tuple(change for change in changes if change is not None), len(names)


def weight(change: TensorChange) -> tuple[bool, float]:
    """Sort by what changed most: another shape first, then the relative change."""
    numbers = change.numbers
    return numbers is not None, -(numbers.relative if numbers and numbers.relative is not None else float("inf"))


def sizes(change: TensorChange) -> str:
    """Return shape and type, before and after where they differ."""
    found = [
        f"{'x'.join(map(str, place.shape)) or '-'} {place.dtype}" for place in (change.before, change.after) if place
    ]
    return found[0] if len(set(found)) == 1 else " → ".join(found)


def _places(path: Path) -> dict[str, Place]:
    stored = zoo.stored_tensors(path)
    return {
        name: Place(stored.home(name).resolve(), header.offset, header.dtype, header.shape, header.size)
        for name, header in stored.headers.items()
    }


def _change(name: str, before: Place | None, after: Place | None) -> TensorChange | None:
    if before is None or after is None:
        return TensorChange(name, "added" if before is None else "removed", before, after, None)
    if before == after:  # two commits that share a file in the cache
        return None
    if before.shape != after.shape:
        return TensorChange(name, "reshaped", before, after, None)
    numbers = compare(before, after)
    if before.dtype != after.dtype:
        return TensorChange(name, "retyped", before, after, numbers)
    return None if numbers is None else TensorChange(name, "changed", before, after, numbers)


def _config(folder: Path) -> dict[str, Any]:
    path = folder / _CONFIG
    return zoo.parse_json(path.read_bytes(), str(path)) if path.is_file() else {}


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Return nested keys as paths: zoo.recipe.settings.epochs."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{above}{key}.")
        else:
            found[above + key] = value
    return found


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [*before, *(name for name in after if name not in before)]
    return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}


def _scores(folder: Path) -> dict[str, float]:
    return zoo.recorded_scores(folder) if (folder / "metrics.jsonl").is_file() else {}


def _card(folder: Path) -> list[str]:
    path = folder / _CARD
    if not path.is_file() or path.stat().st_size > _LARGEST_CARD:
        return []
    return path.read_text(encoding="utf-8", errors="replace").split("\n")


def _files(before: Path, after: Path) -> dict[str, str]:
    """Return what happened to the other files: added, removed or changed."""
    was, now = _others(before), _others(after)
    found = {}
    for name in sorted(was.keys() | now.keys()):
        if name not in now:
            found[name] = "removed"
        elif name not in was:
            found[name] = "added"
        elif not filecmp.cmp(was[name], now[name], shallow=False):
            found[name] = "changed"
    return found


def _others(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        return {}
    told = {_CONFIG, _CARD, "metrics.jsonl"}
    return {
        file.name: file
        for file in folder.iterdir()
        if file.is_file()
        and not file.name.startswith(".")
        and file.name not in told
        and not file.name.endswith((".safetensors", ".safetensors.index.json"))
    }
