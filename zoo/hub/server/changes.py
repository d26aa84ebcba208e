"""The changes of a commit, as a tree of names: each folder they touch is read and written once, however many they are.

A folder that is deleted is one name, whatever lies in it; deleted again, or with the folder around it, it is the same.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from zoo.hub.server import work
from zoo.hub.server.http import HttpError
from zoo.hub.server.trees import Entry, Trees, encode_folder

MAX_CHANGES = 50_000
MAX_DEPTH = 64
_MAX_NAMES = 100_000
_MAX_FOLDER_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Change:
    """One change to a tree, in the order in which they were asked for."""

    kind: Literal["put", "delete file", "delete folder"]
    path: str
    entry: Entry | None = None


@dataclass
class NewTree:
    """A tree that is not kept yet: its id, and its folders that are new, encoded, by theirs."""

    root: str = ""
    folders: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, entries: Iterable[Entry]) -> str:
        """Add a folder and return its id. Raise HttpError 422 when too much would be written anew."""
        oid, encoded = encode_folder(entries)
        self.size += len(encoded)
        if self.size > _MAX_FOLDER_BYTES:
            raise HttpError(422, "These changes touch folders of too many files; commit fewer folders at once")
        self.folders[oid] = encoded
        return oid


class _Name:
    """What becomes of one name: `entry` is a file put there, None one deleted; `cleared` is a folder deleted before."""

    __slots__ = ("cleared", "entry", "inside", "named")

    def __init__(self) -> None:
        self.named = False
        self.entry: Entry | None = None
        self.cleared = False
        self.inside: dict[str, _Name] = {}


_Needed = dict[str, Any]
"""Files that have to be there, by name, folder in folder; "" marks a name that is itself needed."""


def change_tree(trees: Trees, root: str, changes: Iterable[Change]) -> NewTree:
    """Return the tree with changes made.

    Raise HttpError 404 for a file to delete that is not there, 422 when a file and a folder would share a name or the
    changes are too many.
    """
    names, needed = _merge(changes)
    _check_needed(trees, needed, root)
    tree = NewTree()
    tree.root = _build(trees, tree, names, root) or tree.add([])
    return tree


def _merge(changes: Iterable[Change]) -> tuple[_Name, _Needed]:
    top, needed = _Name(), {}  # type: tuple[_Name, _Needed]
    count = _Counter()
    for change in changes:
        name, gone = top, False
        parts = change.path.split("/")
        if len(parts) > MAX_DEPTH:
            raise HttpError(422, f"{change.path[:100]!r}… lies deeper than {MAX_DEPTH} folders")
        for part in parts:
            gone = gone or name.cleared
            if (inner := name.inside.get(part)) is None:
                inner = name.inside[part] = _Name()
                count.add()
            name = inner
        if change.kind == "delete folder":
            name.inside, name.cleared = {}, True
            continue
        if change.kind == "delete file":
            if name.entry is None and (name.named or gone):
                raise _missing()
            if not name.named:
                _need(needed, parts, count)
        name.named, name.entry = True, change.entry
    return top, needed


class _Counter:
    """The names that a commit's changes take up in memory."""

    def __init__(self) -> None:
        self._count = 0

    def add(self) -> None:
        self._count += 1
        if self._count > _MAX_NAMES:
            raise HttpError(422, f"These changes name more than {_MAX_NAMES:,} files and folders; make several commits")
        if self._count % 1000 == 0:
            work.check()


def _need(needed: _Needed, parts: list[str], count: _Counter) -> None:
    for part in parts:
        if (inner := needed.get(part)) is None:
            inner = needed[part] = {}
            count.add()
        needed = inner
    needed[""] = {}


def _check_needed(trees: Trees, needed: _Needed, oid: str) -> None:
    if not needed:
        return
    work.check()
    entries = trees.entries(oid)
    for name, inside in needed.items():
        entry = entries.get(name)
        if entry is None or ("" in inside if entry.folder else inside.keys() - {""}):
            raise _missing()
        if entry.folder:
            _check_needed(trees, inside, entry.oid)


def _build(trees: Trees, tree: NewTree, names: _Name, oid: str | None) -> str | None:
    """Add the folder that comes of the one given, and return its id; None when nothing is left in it."""
    work.check()
    entries = dict(trees.entries(oid)) if oid else {}
    for part, name in _named(names):
        if name.entry is None and part in entries and not entries[part].folder:
            del entries[part]
    for part, name in names.inside.items():
        if not name.inside and not name.cleared:
            continue
        old = entries.get(part)
        new = _build(trees, tree, name, old.oid if old and old.folder and not name.cleared else None)
        if new and old is not None and not old.folder:
            raise HttpError(422, f"{part!r} is a file; nothing can lie in it")
        if new:
            entries[part] = Entry(part, new)
        elif old is not None and old.folder:
            del entries[part]
    for part, name in _named(names):
        if name.entry is not None:
            if part in entries and entries[part].folder:
                raise HttpError(422, f"{part!r} is a folder; no file can take its name")
            entries[part] = name.entry
    return tree.add(entries.values()) if entries else None


def _named(names: _Name) -> Iterator[tuple[str, _Name]]:
    return ((part, name) for part, name in names.inside.items() if name.named)


def _missing() -> HttpError:
    return HttpError(404, "A file with this name doesn't exist", "EntryNotFound")
