"""A Hub's folder: store.db, blobs/, the owner's token. Nothing of a repo is a path on disk."""

import logging
import os
import secrets
import sqlite3
from pathlib import Path

from zoo.errors import IntegrityError, ZooError
from zoo.files import write_file
from zoo.hub.server.blobs import BlobStore
from zoo.hub.server.commits import Commits
from zoo.hub.server.database import Database
from zoo.hub.server.folder import FolderLock, prepare
from zoo.hub.server.repos import Repos
from zoo.hub.server.trees import Trees
from zoo.hub.server.users import OWNER, Users
from zoo.hub.server.xorbs import Xorbs

DAY = 24 * 3600
_log = logging.getLogger("zoo.hub.server")
OWNER_LABEL = "owner"
"""What the token in the file `token` is called."""
_LARGEST_EXPORT = 64 * 1024 * 1024


class Store:
    """Everything a Hub keeps, for one server or for a command that looks after it."""

    def __init__(self, folder: Path) -> None:
        prepare(folder)
        self.folder = folder
        self.database = Database(folder / "store.db")
        if not (folder / "blobs").exists() and self.database.row("SELECT 1 FROM blobs"):
            self.database.close()
            raise IntegrityError(
                f"the Hub in {folder} is not opened, since its folder blobs is missing and store.db names what lay "
                "there; put it back, or serve a backup"
            )
        self.blobs = BlobStore(folder, self.database)
        self.trees = Trees(self.database)
        self.repos = Repos(self.database)
        self.commits = Commits(self.database, self.repos, self.trees, self.blobs)
        self.users = Users(self.database)
        self.xorbs = Xorbs(folder, self.database)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def setting(self, key: str) -> str:
        """Return a random word of this store, made when it is asked for first."""
        if row := self.database.row("SELECT value FROM settings WHERE key=?", key):
            return str(row[0])
        with self.database.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO settings VALUES (?,?)", (key, secrets.token_hex(16)))
            row = connection.execute("SELECT value FROM settings WHERE key=?", (key,)).fetchone()
        assert row is not None, "it was just made"
        return str(row[0])

    @property
    def id(self) -> str:
        """Return what clients keep what they remember of uploads by; it changes when that no longer holds."""
        return self.setting("store_id")


class ServedStore(Store):
    """The store of a running server, which has the folder to itself."""

    def __init__(self, folder: Path) -> None:
        prepare(folder)
        self._folder_lock = FolderLock(folder)
        try:
            super().__init__(folder)
            self.database.hold(folder / "lock")
            self.blobs.clear_temporary()
            with self.database.transaction() as connection:
                self.blobs.restore(connection)
            self.token, self.first_start = self._owner_token()
            self.signing_key = self.setting("signing_key").encode()
            self.setting("origin")  # which a copy of the database has too
        except BaseException:
            self._folder_lock.close()
            raise

    def close(self) -> None:
        """Close the database and let go of the folder."""
        self._export()
        super().close()
        self._folder_lock.close()

    def _export(self) -> None:
        """Keep a copy of the database, for the day when it is lost; backups are for those that are large."""
        export = self.folder / "export.db"
        try:
            if not export.exists() or self.database.changed:
                if (self.folder / "store.db").lstat().st_size <= _LARGEST_EXPORT:
                    self.database.back_up(export)
        except (OSError, sqlite3.Error, ZooError) as error:  # what was asked of the server is done all the same
            _log.warning("no export of %s was written: %s", self.folder, error)

    def _owner_token(self) -> tuple[str, bool]:
        """Return the owner's token, and whether it was just made. Without its file there is a new one."""
        path = self.folder / "token"
        made = not path.exists()
        if made:
            write_secret(path, f"zoo_{secrets.token_urlsafe(32)}")
        token = path.read_text().strip()
        if self.users.identify(token) is None:
            self.users.add(OWNER, owner=True)
            owner = self.users.find(OWNER)
            assert owner is not None, "it was just made, or was there"
            self.users.admit(token, owner, OWNER_LABEL)
        return token, made


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner can read, from the first moment on."""
    previous = os.umask(0o077)
    try:
        write_file(path, secret.encode())
    finally:
        os.umask(previous)
