"""Copy a Hub's folder while it is served: the database as it is at one moment, and the blobs that it names."""

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from zoo.errors import UsageError
from zoo.hub.server.database import read_only
from zoo.hub.server.folder import FolderLock, check, secure
from zoo.hub.server.shelves import Shelves
from zoo.hub.server.store import Store, write_secret
from zoo.paths import sync_folder

_NEW = "store.db.new"
_UNFINISHED = {"lock", "lost+found", *(f"{_NEW}.part{ending}" for ending in ("", "-wal", "-shm", "-journal"))}
_STATE = (
    "SELECT id, type, name, private, gated, head FROM repos ORDER BY id",
    "SELECT repo, name, oid FROM refs ORDER BY repo, name",
    "SELECT id, name, owner FROM users ORDER BY id",
    "SELECT hash, user, role FROM tokens ORDER BY hash",
    "SELECT repo, user FROM grants ORDER BY repo, user",
)


@dataclass
class Copied:
    """How much a backup took that was not there yet."""

    blobs: int = 0
    bytes: int = 0


def back_up(store: Store, target: Path) -> Copied:
    """Bring a copy of the store up to date. Blobs never change, so only new ones are copied.

    Raise UsageError, with nothing written, for a folder that is no backup of this very store.
    """
    _check_apart(store.folder, target)
    origin = store.setting("origin")
    if target.exists():
        _check_backup(store, target, origin)
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    secure(target)
    with FolderLock(target):
        if (target / "store.db").exists():
            _check_unchanged(target)
        return _copy(store, target)


def _check_apart(source: Path, target: Path) -> None:
    """Raise UsageError where a folder would be copied to itself or into itself, whatever it is called."""
    for one, other in ((source, target), (target, source)):
        inner = one.resolve()
        if other.exists() and any(part.exists() and part.samefile(other) for part in (inner, *inner.parents)):
            raise UsageError(f"{target} and {source} are one folder, or one lies in the other; back up elsewhere")


def _check_backup(store: Store, target: Path, origin: str) -> None:
    """Raise UsageError unless a folder is a backup of this store, the beginning of one, or empty; write nothing."""
    check(target)
    if set(os.listdir(target)) <= _UNFINISHED:
        return
    for name in ("store.db", _NEW):
        if os.path.lexists(target / name):
            found = _settings(target / name)
            if found.get("origin") == origin:
                return
            # What the Zoo before wrote has no origin, and was not served since when it has no lock.
            if found.get("signing_key") == store.setting("signing_key") and not os.path.lexists(target / "lock"):
                return
            break
    raise UsageError(
        f"{target} is no backup of {store.folder}, but holds another Hub or other files; give a new or empty folder"
    )


def _settings(path: Path) -> dict[str, str]:
    try:
        with closing(read_only(path)) as connection:
            return dict(connection.execute("SELECT key, value FROM settings"))
    except sqlite3.Error:
        return {}


def _check_unchanged(target: Path) -> None:
    """Raise UsageError where a backup has a life of its own since it was written."""
    try:
        with closing(sqlite3.connect(target / "store.db")) as connection:
            settings = dict(connection.execute("SELECT key, value FROM settings"))
            changed = "backup" in settings and settings["backup"] != _state(connection)
    except sqlite3.DatabaseError as error:
        raise UsageError(f"store.db of the backup {target} is damaged ({error}); give a new folder") from None
    if changed or ("origin" in settings and "backup" not in settings):
        raise UsageError(
            f"{target} was served or changed since it was copied, or is the Hub itself, and would lose that; "
            "give a new or empty folder"
        )


def _state(connection: sqlite3.Connection) -> str:
    """Return a hash of all that a push, a user's command or a setting changes."""
    digest = hashlib.sha256()
    for query in _STATE:
        for row in connection.execute(query):
            digest.update(repr(row).encode())
    return digest.hexdigest()


def _copy(store: Store, target: Path) -> Copied:
    new, temporary = target / _NEW, target / "temporary"
    store.database.back_up(new)
    for folder in (temporary, target / "blobs"):
        folder.mkdir(exist_ok=True, mode=0o700)
    done = Copied()
    with closing(sqlite3.connect(new)) as connection:
        with connection:
            rows = connection.execute("SELECT sha256, size FROM blobs").fetchall()
            connection.execute("UPDATE xorbs SET file=NULL")  # uploads that are not files yet stay behind
            # A copy that is served knows no chunks, and nothing that was signed for the Hub is good for it.
            connection.execute("DELETE FROM settings WHERE key IN ('store_id', 'signing_key', 'backup')")
            connection.execute("INSERT INTO settings VALUES ('backup', ?)", (_state(connection),))
    shelves = Shelves(target / "blobs")
    for sha256, size in rows:
        if shelves.size(sha256) == size or store.blobs.shelves.size(sha256) is None:
            continue  # there already, or collected since: no commit names it
        partial = temporary / sha256
        partial.unlink(missing_ok=True)
        with store.blobs.open(sha256) as file, open(partial, "xb") as copy:
            shutil.copyfileobj(file, copy, 1024 * 1024)
            copy.flush()
            os.fchmod(copy.fileno(), 0o444)
            os.fsync(copy.fileno())
        shelves.put(partial, sha256)
        done.blobs += 1
        done.bytes += size
    token = store.folder / "token"
    if token.exists():
        write_secret(target / "token", token.read_text())
    for journal in ("store.db-wal", "store.db-shm", "store.db-journal"):
        (target / journal).unlink(missing_ok=True)
    os.replace(new, target / "store.db")
    sync_folder(target)
    return done
