"""Large files that come in parts: each is written where it belongs in one temporary file."""

import hashlib
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from zoo.hub.server.blobs import NewBlob


@dataclass
class _Upload:
    path: Path
    etags: dict[object, str] = field(default_factory=dict)


class Parts:
    """The uploads in parts that have begun since the server started."""

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._uploads: dict[str, _Upload] = {}

    def open(self, key: str) -> BinaryIO:
        """Open the file that an upload's parts are written to."""
        upload = self._uploads.get(key)
        if upload is None:
            upload = self._uploads[key] = _Upload(self._temporary / secrets.token_hex(16))
            upload.path.touch(mode=0o600)
        return open(upload.path, "r+b", buffering=0)

    def note(self, key: str, number: int) -> str:
        """Note that a part is there, and return the word that the client must repeat."""
        etag = secrets.token_hex(16)
        if (upload := self._uploads.get(key)) is not None:
            upload.etags[number] = etag
        return etag

    def noted(self, key: str, count: int) -> dict[object, str] | None:
        """Return the words of all parts, once there are so many."""
        upload = self._uploads.get(key)
        return upload.etags if upload is not None and len(upload.etags) == count else None

    def join(self, key: str, sha256: str, size: int) -> NewBlob | None:
        """Return the whole, flushed; None, with nothing kept, when its hash or size is another."""
        upload = self._uploads.pop(key, None)
        if upload is None:
            return None
        with open(upload.path, "r+b", buffering=0) as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == sha256 and file.tell() == size
            if right:
                os.fsync(file.fileno())
                os.fchmod(file.fileno(), 0o444)
        if not right:
            upload.path.unlink()
            return None
        return NewBlob(sha256, size, upload.path)
