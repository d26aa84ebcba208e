"""Large files that come in parts: each is written where it belongs in one temporary file."""

import asyncio
import hashlib
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from zoo.hub.server import work
from zoo.hub.server.blobs import NewBlob
from zoo.hub.server.capabilities import Capability
from zoo.hub.server.http import HttpError
from zoo.hub.server.store import Store

_BATCH = 1024 * 1024
_KEPT_SECONDS = 6 * 3600.0
_SWEEP_SECONDS = 60.0
_UPLOADS_A_USER = 64


class Key(NamedTuple):
    """What an upload in parts is known by."""

    capability: Capability
    oid: str
    size: int


@dataclass
class _Upload:
    path: Path
    touched: float
    etags: dict[int, str] = field(default_factory=dict)


class Parts:
    """The uploads in parts that have begun since the server started.

    One is forgotten, with its file, when its capability is dead, when nothing came for hours, or when its user has
    begun too many others since.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._uploads: dict[Key, _Upload] = {}
        self._sweeps = False

    def open(self, key: Key) -> BinaryIO:
        """Open the file that an upload's parts are written to."""
        upload = self._uploads.pop(key, None)
        if upload is None:
            mine = [known for known in self._uploads if known.capability.user == key.capability.user]
            for known in mine[: max(0, len(mine) - _UPLOADS_A_USER + 1)]:
                self.discard(known)
            upload = _Upload(self._store.blobs.temporary / secrets.token_hex(16), 0)
            upload.path.touch(mode=0o600)
        self._uploads[key] = upload  # the one touched last stands last
        upload.touched = time.monotonic()
        self._plan_sweep()
        return open(upload.path, "r+b", buffering=0)

    def _plan_sweep(self) -> None:
        if not self._sweeps:
            self._sweeps = True
            asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        self._sweeps = False
        for key, upload in list(self._uploads.items()):
            if time.monotonic() - upload.touched > _KEPT_SECONDS or not self._alive(key):
                self.discard(key)
        if self._uploads:
            self._plan_sweep()

    def _alive(self, key: Key) -> bool:
        try:
            key.capability.check(self._store)
        except HttpError:
            return False
        return True

    def note(self, key: Key, number: int) -> str:
        """Note that a part is there, and return the word that the client must repeat."""
        etag = secrets.token_hex(16)
        if (upload := self._uploads.get(key)) is not None:
            upload.etags[number] = etag
        return etag

    def noted(self, key: Key, count: int) -> dict[int, str] | None:
        """Return the words of all parts, once there are so many."""
        upload = self._uploads.get(key)
        return upload.etags if upload is not None and len(upload.etags) == count else None

    def take(self, key: Key) -> Path:
        """Hand the file of an upload over; what becomes of it is no longer seen to here."""
        return self._uploads.pop(key).path

    def discard(self, key: Key) -> None:
        """Forget an upload, if it is there, and remove its file."""
        if (upload := self._uploads.pop(key, None)) is not None:
            upload.path.unlink(missing_ok=True)


def joined(path: Path, sha256: str, size: int) -> NewBlob | None:
    """Return the parts as one blob, flushed; None when its hash or size is another."""
    work.allow(size)
    digest = hashlib.sha256()
    with open(path, "r+b", buffering=0) as file:
        while chunk := file.read(_BATCH):
            work.check()
            digest.update(chunk)
        if digest.hexdigest() != sha256 or file.tell() != size:
            return None
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o444)
    return NewBlob(sha256, size, path)
