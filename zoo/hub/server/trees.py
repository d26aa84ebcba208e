"""Trees as git knows them: one row a folder, named by its content, so that commits share what they have alike."""

import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock

import msgspec

from zoo.hub.server.database import Database
from zoo.hub.server.http import HttpError

_CACHED_ENTRIES = 200_000


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """A name in a folder. `oid` is git's id: of the folder, the file, or the pointer that stands for a large file."""

    name: str
    oid: str
    sha256: str = ""
    size: int = 0
    lfs: bool = False

    @property
    def folder(self) -> bool:
        """Tell whether this is a folder."""
        return not self.sha256

    @property
    def etag(self) -> str:
        """Return the name of the file's bytes: sha256 for large files, git's id for regular ones."""
        return self.sha256 if self.lfs else self.oid


_encode = msgspec.msgpack.Encoder().encode
decode_tree = msgspec.msgpack.Decoder(list[Entry]).decode


def pointer(sha256: str, size: int) -> bytes:
    """Return what git keeps in place of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def git_id(kind: str, content: bytes) -> str:
    """Return git's id of an object."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()


def regular_file(name: str, content: bytes, sha256: str) -> Entry:
    """Return the entry of a file that lies in git itself."""
    return Entry(name, git_id("blob", content), sha256, len(content))


def large_file(name: str, sha256: str, size: int) -> Entry:
    """Return the entry of a file that git knows by a pointer."""
    return Entry(name, git_id("blob", pointer(sha256, size)), sha256, size, lfs=True)


def tree_id(entries: Iterable[Entry]) -> str:
    """Return git's id of a folder."""
    content = b"".join(
        (b"40000 " if entry.folder else b"100644 ") + entry.name.encode() + b"\0" + bytes.fromhex(entry.oid)
        for entry in entries
    )
    return git_id("tree", content)


class Trees:
    """The trees of all repos. They never change, so those read lately are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: OrderedDict[str, dict[str, Entry]] = OrderedDict()
        self._cached = 0
        self._lock = Lock()

    def entries(self, oid: str, connection: sqlite3.Connection | None = None) -> Mapping[str, Entry]:
        """Return a folder's entries by name. Inside a transaction its connection sees what it wrote."""
        with self._lock:
            if (entries := self._cache.get(oid)) is not None:
                self._cache.move_to_end(oid)
                return entries
        query = "SELECT entries FROM trees WHERE oid=?"
        row = connection.execute(query, (oid,)).fetchone() if connection else self._database.row(query, oid)
        assert row is not None, "a commit or a folder names this tree"
        entries = {entry.name: entry for entry in decode_tree(row[0])}
        if connection is None:  # what a transaction wrote may be rolled back
            self._keep(oid, entries)
        return entries

    def _keep(self, oid: str, entries: dict[str, Entry]) -> None:
        with self._lock:
            if oid not in self._cache:
                self._cache[oid] = entries
                self._cached += len(entries) + 1
            while self._cached > _CACHED_ENTRIES and len(self._cache) > 1:
                self._cached -= len(self._cache.popitem(last=False)[1]) + 1

    def find(self, root: str, path: str, connection: sqlite3.Connection | None = None) -> Entry | None:
        """Return what lies under a path; None where there is nothing."""
        *folders, name = path.split("/")
        for part in folders:
            entry = self.entries(root, connection).get(part)
            if entry is None or not entry.folder:
                return None
            root = entry.oid
        return self.entries(root, connection).get(name)

    def walk(self, root: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
        """Yield every folder and file below a folder, by path, folders before what is in them."""
        for entry in self.entries(root).values():
            yield prefix + entry.name, entry
            if entry.folder:
                yield from self.walk(entry.oid, f"{prefix}{entry.name}/")

    def files(self, root: str) -> dict[str, Entry]:
        """Return every file below a folder by path."""
        return {path: entry for path, entry in self.walk(root) if not entry.folder}

    def write(self, connection: sqlite3.Connection, root: str | None, changes: Mapping[str, Entry | None]) -> str:
        """Keep a tree with files put in, or taken out where None stands, and return its id."""
        new = self._write(connection, root, {tuple(path.split("/")): entry for path, entry in changes.items()})
        return new or self._insert(connection, [])

    def _write(
        self, connection: sqlite3.Connection, oid: str | None, changes: Mapping[tuple[str, ...], Entry | None]
    ) -> str | None:
        entries = dict(self.entries(oid, connection)) if oid else {}
        below: dict[str, dict[tuple[str, ...], Entry | None]] = {}
        here: dict[str, Entry | None] = {}
        for (name, *rest), entry in changes.items():
            if rest:
                below.setdefault(name, {})[tuple(rest)] = entry
            else:
                here[name] = entry
        for name in [name for name, entry in here.items() if entry is None]:
            entries.pop(name, None)
        for name, inner in below.items():
            old = entries.get(name)
            if old is not None and not old.folder and any(inner.values()):
                raise HttpError(422, f"{name!r} is a file; nothing can lie in it")
            new = self._write(connection, old.oid if old and old.folder else None, inner)
            if new:
                entries[name] = Entry(name, new)
            elif old is not None and old.folder:
                del entries[name]
        for name, entry in here.items():
            if entry is not None:
                if name in entries and entries[name].folder:
                    raise HttpError(422, f"{name!r} is a folder; no file can take its name")
                entries[name] = entry
        return self._insert(connection, list(entries.values())) if entries else None

    def _insert(self, connection: sqlite3.Connection, entries: list[Entry]) -> str:
        entries.sort(key=lambda entry: entry.name + "/" * entry.folder)
        oid = tree_id(entries)
        connection.execute("INSERT OR IGNORE INTO trees VALUES (?,?)", (oid, _encode(entries)))
        return oid
