"""Two commits, branches or repos side by side: what can be told without reading a tensor."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.frontmatter import front_matter
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.names import check_repo
from zoo.hub.server.pages import comparing
from zoo.hub.server.pages.cards import Cards
from zoo.hub.server.pages.comparisons import Comparisons
from zoo.hub.server.pages.history import differences
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.pages.scores import scores
from zoo.hub.server.repos import Repo
from zoo.hub.server.summary import Tensor, read_tensors
from zoo.hub.server.trees import Entry

_TYPES = ("datasets", "spaces")
_COMPARED = 20_000  # names of files
_SHOWN = 300
_MAX_TENSORS = 8 * 1024 * 1024  # bytes of headers of one side
_MAX_CONFIG = 256 * 1024
_MAX_KEYS = 20_000
_MAX_CARD = 256 * 1024
_MAX_VALUE = 200
_DEEPEST = 32


@dataclass(frozen=True)
class Place:
    """One side of a comparison: a repo at a commit, in the words in which it was asked for."""

    text: str
    repo: Repo
    oid: str
    tree: str
    root: Mapping[str, Entry]


@dataclass(frozen=True)
class Change:
    """A value that is another one, or that only one side has."""

    name: str
    before: str | None
    after: str | None
    kind: str = ""


async def compare_page(access: Access, request: Request, cards: Cards, comparisons: Comparisons) -> Response:
    """Ask for two places, and show what changed from one to the other."""
    before, after = ((request.value(name) or "").strip() for name in ("before", "after"))
    access.check_reading(log_in=True)
    if not (before and after):
        return page("compare.html", access, before=before, after=after, fault="", found=None)
    try:
        sides = [await _place(access, text) for text in (before, after)]
        found = await work.run_read(_compared, access, *sides)
        card = await cards.changes(*await work.run_read(_texts, access, *sides))
        told, read = None, request.flag("values")
        if read:
            one, other = sides
            told = await comparisons.told(access.store.blobs, (one.tree, other.tree), one.root, other.root)
    except HttpError as error:
        if error.status in (307, 401, 503):
            raise
        said: dict[str, Any] = {"before": before, "after": after, "fault": str(error), "found": None}
        return page("compare.html", access, status=error.status, **said)
    values: dict[str, Any] = {
        "found": found,
        "card": card,
        "sides": sides,
        "read": read,
        "told": told,
        "seconds": comparing.SECONDS,
    }
    return page("compare.html", access, before=before, after=after, fault="", **values)


async def _place(access: Access, text: str) -> Place:
    """Return what `org/name@revision` or `datasets/org/name` means. Raise HttpError for what the user may not have."""
    name, _, revision = text.partition("@")
    type_, _, rest = name.partition("/")
    type_, name = (type_, rest) if type_ in _TYPES else ("models", name)
    namespace, _, short = name.partition("/")
    repo = access.repo(type_, check_repo(namespace, short))
    await access.check_files(repo)
    oid = access.commit(repo, revision or "main")
    tree = access.store.commits.tree(repo, oid)
    return Place(text, repo, oid, tree, await work.run_read(access.store.trees.entries, tree))


def _compared(access: Access, before: Place, after: Place) -> dict[str, Any]:
    steps = list(islice(differences(access.store.trees, before.tree, after.tree), _COMPARED + 1))
    files = sorted((step for step in steps[:_COMPARED] if step), key=lambda step: step.path)
    tensors, total, fault = _tensors(access, before, after)
    settings = _changes(*(_config(access, side) for side in (before, after)))
    measured = _changes(*(_scores(access, side) for side in (before, after)))
    return {
        "files": files[:_SHOWN],
        "more_files": max(0, len(files) - _SHOWN),
        "cut": len(steps) > _COMPARED,
        "tensors": tensors[:_SHOWN],
        "more_tensors": max(0, len(tensors) - _SHOWN),
        "counts": {kind: [change.kind for change in tensors].count(kind) for kind in _KINDS},
        "total": total,
        "fault": fault,
        "settings": settings[:_SHOWN],
        "more_settings": max(0, len(settings) - _SHOWN),
        "scores": measured,
    }


_KINDS = ("added", "removed", "reshaped", "retyped")


def _tensors(access: Access, before: Place, after: Place) -> tuple[list[Change], int, str]:
    """Return the tensors that another file has otherwise, how many there are in such files, and what went wrong."""
    alike = {entry for entry in before.root.values() if after.root.get(entry.name) == entry}
    sides = []
    for side in (before, after):
        other = {name: entry for name, entry in side.root.items() if entry not in alike}
        try:
            sides.append(read_tensors(access.store.blobs.open, other, _MAX_TENSORS))
        except (ValueError, RecursionError):
            return [], 0, f"A header of {side.text} is broken, or larger than this page reads."
        except OSError:
            return [], 0, f"Bytes of {side.text} are gone from this Hub; push them again."
    was, now = sides
    found = []
    for name in work.checked(sorted(was.keys() | now.keys())):
        one, other_one = was.get(name), now.get(name)
        if kind := _kind(one, other_one):
            found.append(Change(name[:_MAX_VALUE], _said(one), _said(other_one), kind))
    return found, len(was.keys() | now.keys()), ""


def _kind(before: Tensor | None, after: Tensor | None) -> str:
    if before is None or after is None:
        return "added" if before is None else "removed"
    return "reshaped" if before.shape != after.shape else "retyped" if before.dtype != after.dtype else ""


def _said(tensor: Tensor | None) -> str | None:
    return None if tensor is None else f"{' × '.join(map(str, tensor.shape)) or 'scalar'} {tensor.dtype}"


def _config(access: Access, side: Place) -> dict[str, str]:
    """Return the keys of config.json by their path, with the recipe's among them."""
    try:
        config = json.loads(_text(access, side, "config.json", _MAX_CONFIG))
        return dict(islice(_flat(config, "", 0), _MAX_KEYS)) if isinstance(config, dict) else {}
    except (ValueError, RecursionError):
        return {}


def _flat(values: Mapping[str, Any], above: str, depth: int) -> Any:
    for key, value in values.items():
        if isinstance(value, dict) and value and depth < _DEEPEST:
            yield from _flat(value, f"{above}{key}.", depth + 1)
        else:
            yield f"{above}{key}", value if isinstance(value, str) else json.dumps(value)


def _scores(access: Access, side: Place) -> dict[str, str]:
    card = front_matter(_text(access, side, "README.md", _MAX_CARD))
    found = scores(access.store, card, side.root)
    return {" · ".join(filter(None, (score.metric, score.data))): score.value for score in found}


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    names = [*before, *(name for name in after if name not in before)]
    return [
        Change(name[:_MAX_VALUE], _short(before.get(name)), _short(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _texts(access: Access, before: Place, after: Place) -> list[str]:
    return [_text(access, side, "README.md", _MAX_CARD) for side in (before, after)]


def _text(access: Access, side: Place, name: str, limit: int) -> str:
    """Return a file at the root as text; none where it is missing, gone or too large."""
    entry = side.root.get(name)
    if entry is None or entry.folder or entry.size > limit:
        return ""
    try:
        return access.store.blobs.read(entry.sha256, limit).decode("utf-8", "replace")
    except OSError:
        return ""
