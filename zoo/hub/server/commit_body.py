"""The body of a commit: one operation a line. Contents go to disk as they come."""

import base64
import binascii
import hashlib

import msgspec

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.blobs import NewBlob
from zoo.hub.server.changes import MAX_CHANGES, Change
from zoo.hub.server.commits import Request
from zoo.hub.server.http import HttpError
from zoo.hub.server.names import check_new_path, check_path
from zoo.hub.server.repos import Repo
from zoo.hub.server.trees import large_file, regular_file

MAX_REGULAR = 10 * 1024 * 1024


class _Value(msgspec.Struct, rename="camel"):
    """All that is read of an operation; whatever else a line holds is passed over, and takes no memory."""

    path: str | None = None
    content: str | None = None
    encoding: str | None = None
    oid: str | None = None
    summary: str | None = None
    description: str | None = None
    parent_commit: str | None = None


class _Line(msgspec.Struct):
    key: str
    value: _Value


_decode_line = msgspec.json.Decoder(_Line).decode


class CommitBody:
    """What has come of a commit. `blobs` are on disk, under temporary names that whoever made this removes."""

    def __init__(self, access: Access, repo: Repo) -> None:
        self._store = access.store
        self._limits = access.limits
        self._repo = repo
        self._digest = hashlib.sha256()
        self._header = _Value()
        self._changes: list[Change] = []
        self.blobs: list[NewBlob] = []

    def take(self, lines: list[bytes]) -> None:
        """Read some lines. Raise HttpError for what is none, or too much."""
        for line in lines:
            work.check()
            self._digest.update(line + b"\n")
            try:
                operation = _decode_line(line)
            except (ValueError, RecursionError):
                raise HttpError(400, "A line is not an object with key and value") from None
            if operation.key == "header":
                self._header = operation.value
            elif len(self._changes) == MAX_CHANGES:
                message = f"A commit makes at most {MAX_CHANGES:,} changes; make several"
                raise HttpError(413, message, headers={"Connection": "close"})
            else:
                self._changes.append(self._change(operation.key, operation.value))

    def request(self, branch: str, user: int, author: str) -> Request:
        """Return the commit that the lines ask for."""
        header = self._header
        return Request(
            changes=self._changes,
            author=author,
            title=((header.summary or "").strip() or "Update")[:1000],
            message=(header.description or "")[:100_000],
            parent=header.parent_commit or None,
            digest=f"{branch} {user} {self._digest.hexdigest()}",
            blobs=self.blobs,
        )

    def _change(self, key: str, value: _Value) -> Change:
        path = value.path or ""
        match key:
            case "file":
                name = check_new_path(path).rpartition("/")[2]
                content = _content(path, value)
                self._store.blobs.check_space(len(content), self._limits.reserve)
                work.allow(len(content))
                blob = self._store.blobs.write(content)
                self.blobs.append(blob)
                return Change("put", path, regular_file(name, content, blob.sha256))
            case "lfsFile":
                name = check_new_path(path).rpartition("/")[2]
                given = self._store.blobs.uploaded(self._repo.id, value.oid or "")
                if given is None:
                    raise HttpError(422, f"{path} names an object that was not uploaded to this repo")
                return Change("put", path, large_file(name, given.sha256, given.size))
            case "deletedFile":
                return Change("delete file", check_path(path))
            case "deletedFolder":
                return Change("delete folder", check_path(path.strip("/")))
        raise HttpError(400, f"Unknown operation {key[:50]!r}")


def _content(path: str, value: _Value) -> bytes:
    if value.encoding not in (None, "base64"):
        raise HttpError(400, f"{path} is not base64")
    try:
        content = base64.b64decode(value.content or "", validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(400, f"{path} is not base64") from None
    if len(content) > MAX_REGULAR:
        raise HttpError(413, f"{path} is larger than {MAX_REGULAR:,} bytes; it goes by LFS")
    return content
