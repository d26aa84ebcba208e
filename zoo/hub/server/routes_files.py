"""Pull: files by revision and path, whole or in part."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from zoo.hub.server.access import Access
from zoo.hub.server.downloads import Downloads
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.names import check_path
from zoo.hub.server.repos import Repo
from zoo.hub.server.trees import Entry, pointer
from zoo.hub.server.upstream import Upstream

_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?|bytes=-(\d{1,18})", re.ASCII)


def find_file(access: Access, repo: Repo, revision: str, path: str) -> tuple[str, Entry]:
    """Return the commit that a revision names and a file there. Raise HttpError 404 where there is none."""
    oid = access.commit(repo, revision)
    entry = access.store.trees.find(access.store.commits.tree(repo, oid), check_path(path, 400))
    if entry is None or entry.folder:
        raise HttpError(404, f"{path} does not exist on {revision!r}", "EntryNotFound", {"X-Repo-Commit": oid})
    return oid, entry


@dataclass(frozen=True)
class Files:
    """What serves files beside the store: who counts downloads, and where what is not here comes from."""

    downloads: Downloads
    upstream: Upstream | None = None


async def resolve(access: Access, request: Request, files: Files, repo: Repo, revision: str, path: str) -> Response:
    """Serve a file with its hash as ETag, or the part that Range asks for."""
    await access.check_files(repo)
    oid, entry = await asyncio.to_thread(find_file, access, repo, revision, path)
    etag = f'"{entry.etag}"'
    start, end = _range(request.headers.get("range"), entry.size)
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Content-Length": str(end - start),
        "Accept-Ranges": "bytes",
        "ETag": etag,
        "X-Repo-Commit": oid,
        "X-Linked-Size": str(entry.size),
        "X-Linked-Etag": etag,
    }
    part = (start, end) != (0, entry.size)
    if part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{entry.size}"
    elif request.method == "GET" and path == repo.summary.largest:
        files.downloads.count(repo)
    status = 206 if part else 200
    if repo.upstream and files.upstream is not None:
        files.upstream.files.use(entry)
    try:
        blobs = access.store.blobs
        opened = blobs.open_fetched(entry.sha256) if repo.upstream else blobs.open(entry.sha256)
    except OSError:
        if not repo.upstream:
            raise HttpError(410, f"The bytes of {path} are gone from this Hub; push the file again") from None
        if request.method == "HEAD":
            return Response(status, headers=headers, stream=_nothing())
        if files.upstream is None or not files.upstream.serves(repo):
            raise HttpError(
                502, f"The bytes of {path} are not here, and {repo.upstream} is not asked any more"
            ) from None
        coming = await files.upstream.files.fetch(repo, oid, path, entry, (start, end))
        return replace(coming, status=status, headers=headers)
    return Response(status, headers=headers, file=(opened, start, end))


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


async def raw(access: Access, request: Request, files: Files, repo: Repo, revision: str, path: str) -> Response:
    """Serve a file as git keeps it: of a large one its pointer."""
    await access.check_files(repo)
    oid, entry = await asyncio.to_thread(find_file, access, repo, revision, path)
    if not entry.lfs:
        return await resolve(access, request, files, repo, revision, path)
    headers = {"Content-Type": "text/plain; charset=utf-8", "ETag": f'"{entry.oid}"', "X-Repo-Commit": oid}
    return Response(body=pointer(entry.sha256, entry.size), headers=headers)


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
