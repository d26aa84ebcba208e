"""Pull: files by revision and path, whole or in part."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import BinaryIO

from zoo.hub.server.access import Access
from zoo.hub.server.describe import etag
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.names import check_path
from zoo.hub.server.store import Repo

_CHUNK = 1024 * 1024
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?|bytes=-(\d{1,18})")


async def resolve(access: Access, request: Request, repo: Repo, revision: str, path: str) -> Response:
    """Serve a file with its hash as ETag, or the part that Range asks for."""
    oid = access.commit(repo, revision)
    file = access.store.files(repo, oid).get(check_path(path, 400))
    if file is None:
        headers = {"X-Repo-Commit": oid}
        raise HttpError(404, f"{path} does not exist on {revision!r}", "EntryNotFound", headers)
    size, name = file.blob.size, f'"{etag(file)}"'
    start, end = _range(request.headers.get("range"), size)
    part = (start, end) != (0, size)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment",
        "Content-Length": str(end - start),
        "Accept-Ranges": "bytes",
        "ETag": name,
        "X-Repo-Commit": oid,
        "X-Linked-Size": str(size),
        "X-Linked-Etag": name,
    }
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    try:
        opened = access.store.blobs.open(file.blob.sha256)
    except OSError:
        raise HttpError(500, f"The bytes of {path} are gone from this Hub") from None
    if request.method == "HEAD":
        opened.close()
        return Response(206 if part else 200, headers=headers)
    return Response(206 if part else 200, headers=headers, stream=_read(opened, start, end))


def _range(header: str | None, size: int) -> tuple[int, int]:
    """Return the first byte and the one after the last. Raise HttpError 416 for a part that does not exist."""
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None:
        return 0, size
    first, last, suffix = match.groups()
    start = int(first) if first else max(0, size - int(suffix))
    end = min(size, int(last) + 1) if last else size
    if start >= end:
        raise HttpError(416, "The range lies outside the file", headers={"Content-Range": f"bytes */{size}"})
    return start, end


async def _read(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    with file:
        file.seek(start)
        while start < end and (chunk := await asyncio.to_thread(file.read, min(_CHUNK, end - start))):
            start += len(chunk)
            yield chunk
