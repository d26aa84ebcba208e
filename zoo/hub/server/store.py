"""A Hub's folder: store.db, blobs/, the owner's token. Nothing of a repo is a path on disk."""

import fcntl
import os
import secrets
from pathlib import Path

from zoo.errors import StorageError
from zoo.hub.server.blobs import BlobStore
from zoo.hub.server.commits import Commits
from zoo.hub.server.database import Database
from zoo.hub.server.repos import Repos
from zoo.hub.server.trees import Trees
from zoo.hub.server.users import OWNER, Users
from zoo.hub.server.xorbs import Xorbs
from zoo.paths import write_file

_OWNER_LABEL = "owner"


class Store:
    """Everything a Hub keeps, for one server or for a command that looks after it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.database = Database(folder / "store.db")
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
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = open(folder / "lock", "w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock_file.close()
            raise StorageError(
                f"another server has the store {folder} open; stop it, or use its address with --hub"
            ) from None
        try:
            super().__init__(folder)
            os.chmod(folder, 0o700)
            self.blobs.clear_temporary()
            with self.database.transaction() as connection:
                self.blobs.restore(connection)
            self.token, self.first_start = self._owner_token()
            self.signing_key = self.setting("signing_key").encode()
        except BaseException:
            self._lock_file.close()
            raise

    def close(self) -> None:
        """Close the database and let go of the folder."""
        super().close()
        self._lock_file.close()

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
            self.users.admit(token, owner, _OWNER_LABEL)
        return token, made


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner can read, from the first moment on."""
    previous = os.umask(0o077)
    try:
        write_file(path, secret.encode())
    finally:
        os.umask(previous)
