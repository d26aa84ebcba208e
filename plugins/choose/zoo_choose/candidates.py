"""Which weights come into question: named, listed in a file, or all in the cache that a task can begin from."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import zoo

_MOST_LINES = 10_000


@dataclass(frozen=True)
class Candidate:
    """Weights by the name that `zoo finetune` takes, or the reason why they do not come into question."""

    name: str
    refused: str | None = None
    bytes: int | None = None


def candidates(asked: Sequence[str], hub: str | None, pull_bytes: int) -> list[Candidate]:
    """Return what was asked for; without anything all that the catalogue lists.

    `asked` has names, patterns of names or of paths, and files with one of them a line. What is not here is pulled as
    long as all of it together takes at most `pull_bytes`.
    """
    names = list(dict.fromkeys(name for word in asked or ("*",) for name in _named(word)))
    if not names:
        raise zoo.NotFoundError(f"no weights match {' '.join(asked)}; `zoo list --weights` shows what there is")
    found, left = [], pull_bytes
    for name in names:
        candidate = _at_hand(name, hub, left)
        if candidate.bytes is not None and candidate.refused is None:
            left -= candidate.bytes
        found.append(candidate)
    return found


def _named(word: str) -> list[str]:
    path = Path(word)
    if path.is_file() and path.suffix in (".txt", ""):
        with open(path, encoding="utf-8") as lines:
            listed = [line.strip() for line, _ in zip(lines, range(_MOST_LINES), strict=False)]
        return [name for line in listed if line and not line.startswith("#") for name in _named(line)]
    if path.exists() or word.startswith("hf://"):
        return [word]
    if any(sign in word for sign in "*?["):
        return sorted(glob.glob(word)) if "/" in word else zoo.list_weights(word)
    return [word]


def _at_hand(name: str, hub: str | None, left: int) -> Candidate:
    try:
        zoo.find_weights(name, hub=hub, offline=True)
    except zoo.ZooError as error:
        if Path(name).exists():
            return Candidate(name, str(error))
        size = _bytes_of(name)
        if size is None:
            return Candidate(name, str(error))
        if size > left:
            return Candidate(name, f"not in the cache; --pull {size / 1e6:.0f}MB would fetch it", size)
        return Candidate(name, bytes=size)
    return Candidate(name)


def _bytes_of(name: str) -> int | None:
    try:
        return sum(file.size for file in zoo.published(name).files.values())
    except zoo.ZooError:
        return None
