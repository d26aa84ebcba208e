"""Trees as git knows them: one row a folder, named by its content, so that commits share what they have alike."""

import hashlib
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from threading import Lock

import msgspec

from zoo.hub.server import work
from zoo.hub.server.database import Database
from zoo.hub.server.regular import is_unfetched

_CACHED_ENTRIES = 200_000
_NONE: Mapping[str, bytes] = {}


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


def unfetched_file(name: str, oid: str, size: int, sha256: str) -> Entry:
    """Return the entry of a file that lies in git itself, on another Hub; `sha256` may stand for one not known."""
    return Entry(name, oid, sha256, size)


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

    def entries(self, oid: str) -> Mapping[str, Entry]:
        """Return a folder's entries by name."""
        with self._lock:
            if (entries := self._cache.get(oid)) is not None:
                self._cache.move_to_end(oid)
                return entries
        row = self._database.row("SELECT entries FROM trees WHERE oid=?", oid)
        assert row is not None, "a commit or a folder names this tree"
        entries = {entry.name: entry for entry in decode_tree(row[0])}
        self._keep(oid, entries)
        return entries

    def _keep(self, oid: str, entries: dict[str, Entry]) -> None:
        if any(is_unfetched(entry.sha256) for entry in entries.values()):
            return  # of a copy: the same folder, pushed by somebody, takes its place
        with self._lock:
            if oid not in self._cache:
                self._cache[oid] = entries
                self._cached += len(entries) + 1
            while self._cached > _CACHED_ENTRIES and len(self._cache) > 1:
                self._cached -= len(self._cache.popitem(last=False)[1]) + 1

    def find(self, root: str, path: str) -> Entry | None:
        """Return what lies under a path; None where there is nothing."""
        *folders, name = path.split("/")
        for part in folders:
            entry = self.entries(root).get(part)
            if entry is None or not entry.folder:
                return None
            root = entry.oid
        return self.entries(root).get(name)

    def walk(self, root: str, prefix: str = "", new: Mapping[str, bytes] = _NONE) -> Iterator[tuple[str, Entry]]:
        """Yield every folder and file below a folder, by path, folders before what is in them.

        `new` are folders that are not kept yet, encoded, by id.
        """

        def inside(oid: str) -> Iterator[Entry]:
            work.check()
            return iter(decode_tree(new[oid]) if oid in new else self.entries(oid).values())

        open_folders = [(prefix, inside(root))]
        while open_folders:
            prefix, entries = open_folders[-1]
            if (entry := next(entries, None)) is None:
                open_folders.pop()
                continue
            yield prefix + entry.name, entry
            if entry.folder:
                open_folders.append((f"{prefix}{entry.name}/", inside(entry.oid)))

    def files(self, root: str, new: Mapping[str, bytes] = _NONE) -> dict[str, Entry]:
        """Return every file below a folder by path."""
        return {path: entry for path, entry in self.walk(root, new=new) if not entry.folder}

    def insert(self, connection: sqlite3.Connection, folders: Mapping[str, bytes]) -> None:
        """Keep encoded folders under their ids; one that a copy has may lack the sha256 of its files."""
        statement = """INSERT INTO trees VALUES (?,?) ON CONFLICT DO UPDATE SET entries=excluded.entries
                       WHERE entries<>excluded.entries"""
        connection.executemany(statement, folders.items())

    def insert_copy(self, connection: sqlite3.Connection, folders: Mapping[str, bytes]) -> None:
        """Keep encoded folders of a copy, where they are not known with more."""
        connection.executemany("INSERT OR IGNORE INTO trees VALUES (?,?)", folders.items())


def encode_folder(entries: Iterable[Entry]) -> tuple[str, bytes]:
    """Return a folder's id and what is kept of it."""
    ordered = sorted(entries, key=lambda entry: entry.name + "/" * entry.folder)
    return tree_id(ordered), _encode(ordered)
