"""Push: which way each file goes, uploads of large files, and the commit that makes them all visible at once."""

import asyncio
import base64
import hashlib
import hmac
import re
import shutil
import time
from dataclasses import replace
from typing import Any

from zoo.hub.server.access import Access
from zoo.hub.server.blobs import BlobWriter
from zoo.hub.server.describe import etag, web_id
from zoo.hub.server.http import HttpError, Request, Response, json_response
from zoo.hub.server.names import check_path, check_ref, check_repo
from zoo.hub.server.store import File, Repo

MAX_REGULAR = 10 * 1024 * 1024
MAX_COMMIT = 1024 * 1024 * 1024
MAX_FILE = 1 << 40
_LFS_SUFFIXES = (".safetensors", ".bin", ".parquet", ".npy", ".png", ".jpg", ".gif", ".onnx", ".gz", ".zip")
_LFS_FROM = 1024 * 1024
_UPLOAD_SECONDS = 6 * 3600
_SHA256 = re.compile(r"[0-9a-f]{64}")


async def preupload(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Say of each file whether it goes by LFS or inside the commit, and what is there under its name."""
    values = await request.json()
    files = access.store.files(repo, access.commit(repo, revision))
    answers = []
    for item in _list(values, "files"):
        path, size = str(item.get("path")), item.get("size")
        large = path.lower().endswith(_LFS_SUFFIXES) or (isinstance(size, int) and size >= _LFS_FROM)
        there = files.get(path)
        oid = etag(replace(there, lfs=large)) if there else None
        answers.append({"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid})
    return json_response({"files": answers})


async def lfs_batch(access: Access, request: Request, repo: Repo) -> Response:
    """Give an address to upload to for each object that this repo does not have."""
    values = await request.json()
    if values.get("operation") != "upload":
        raise HttpError(400, "Only uploads go by LFS; files are downloaded from resolve")
    objects = [_lfs_object(access, repo, item) for item in _list(values, "objects")]
    return json_response({"transfer": "basic", "objects": objects})


def _lfs_object(access: Access, repo: Repo, item: dict[str, Any]) -> dict[str, Any]:
    oid, size = item.get("oid"), item.get("size")
    if not isinstance(oid, str) or not _SHA256.fullmatch(oid) or type(size) is not int or not 0 <= size <= MAX_FILE:
        return {"oid": oid, "size": size, "error": {"code": 422, "message": "Invalid object"}}
    answer: dict[str, Any] = {"oid": oid, "size": size}
    if access.store.blob_of(repo, oid) is None:
        expires = int(time.time()) + _UPLOAD_SECONDS
        parts = (repo.type, repo.name, oid, str(size), str(expires))
        upload = f"{access.url}/lfs/{'/'.join(parts)}/{_signature(access, *parts)}"
        verify = f"{access.url}/{web_id(repo)}.git/info/lfs/verify"
        answer["actions"] = {"upload": {"href": upload, "header": {}}, "verify": {"href": verify, "header": {}}}
    return answer


async def lfs_verify(access: Access, request: Request, repo: Repo) -> Response:
    """Confirm that an object has arrived."""
    values = await request.json()
    blob = access.store.blob_of(repo, str(values.get("oid")))
    if blob is None or blob.size != values.get("size"):
        raise HttpError(404, "Object not found")
    return json_response({})


async def lfs_upload(access: Access, request: Request) -> Response:
    """Take an object in. The request carries no token: its address is signed."""
    _, type_, namespace, name, oid, size_text, expires, signature = request.segments
    parts = (type_, check_repo(namespace, name), oid, size_text, expires)
    if not hmac.compare_digest(signature.encode(), _signature(access, *parts).encode()) or int(expires) < time.time():
        raise HttpError(403, "The upload's address is not valid, or no longer")
    repo = access.store.repo(type_, parts[1])
    if repo is None:
        raise HttpError(404, "Repository not found", "RepoNotFound")
    size = int(size_text)
    if shutil.disk_usage(access.store.folder).free < size:
        raise HttpError(507, "The disk of this Hub is full")
    writer = BlobWriter(access.store.blobs, size)
    try:
        async for chunk in request.chunks(size):
            await asyncio.to_thread(writer.write, chunk)
    except BaseException:
        writer.discard()
        raise
    blob = await asyncio.to_thread(writer.finish, oid)
    if blob is None:
        raise HttpError(422, "The bytes do not have the announced sha256 and size; nothing was kept")
    access.store.add_blob(repo, blob)
    return json_response({})


def _signature(access: Access, *parts: str) -> str:
    return hmac.new(access.store.signing_key, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


async def commit(access: Access, request: Request, repo: Repo, branch: str) -> Response:
    """Put all changes on a branch, or none. Sent again, a commit that is there already is answered as it was."""
    head = access.store.refs(repo).get(f"refs/heads/{check_ref(branch)}")
    if head is None:
        raise HttpError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
    header: dict[str, Any] = {}
    before = access.store.files(repo, head)
    files = dict(before)
    async for line in request.lines(2 * MAX_REGULAR, MAX_COMMIT):
        value = line["value"]
        match line.get("key"):
            case "header":
                header = value
            case "file":
                files.pop(path := check_path(str(value.get("path"))), None)
                files[path] = await _regular_file(access, repo, path, value)
            case "lfsFile":
                path = check_path(str(value.get("path")))
                blob = access.store.blob_of(repo, str(value.get("oid")))
                if blob is None:
                    raise HttpError(422, f"{path} names an object that was not uploaded to this repo")
                files[path] = File(path, blob, lfs=True)
            case "deletedFile":
                if files.pop(str(value.get("path")), None) is None:
                    raise HttpError(404, "A file with this name doesn't exist", "EntryNotFound")
            case "deletedFolder":
                folder = str(value.get("path")).rstrip("/") + "/"
                files = {path: file for path, file in files.items() if not path.startswith(folder)}
            case other:
                raise HttpError(400, f"Unknown operation {str(other)[:50]!r}")
    _check_clashes(files)
    oid: str | None = head
    if files != before:
        if header.get("parentCommit") not in (None, head):
            raise HttpError(412, "The branch was updated since the parent commit; fetch it and try again")
        title, message = str(header.get("summary") or "Update"), str(header.get("description") or "")
        oid = access.store.commit(repo, branch, head, files, title, message)
    if oid is None:
        raise HttpError(412, "The branch was updated in the meantime; try again")
    url = f"{access.url}/{web_id(repo)}/commit/{oid}"
    return json_response({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})


async def _regular_file(access: Access, repo: Repo, path: str, value: dict[str, Any]) -> File:
    try:
        content = base64.b64decode(str(value.get("content")), validate=True)
    except ValueError:
        raise HttpError(400, f"{path} is not base64") from None
    if len(content) > MAX_REGULAR:
        raise HttpError(413, f"{path} is larger than {MAX_REGULAR:,} bytes; it goes by LFS")
    blob = await asyncio.to_thread(access.store.blobs.add, content)
    access.store.add_blob(repo, blob)
    return File(path, blob, lfs=False)


def _check_clashes(files: dict[str, File]) -> None:
    for path in files:
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in files:
                raise HttpError(422, f"{path!r} lies in a folder that is a file")


async def validate_yaml(access: Access, request: Request) -> Response:
    """Check a card's front matter, before the client pushes it."""
    import yaml

    content = str((await request.json()).get("content") or "")
    lines = content.split("\n")
    if lines[0].rstrip() != "---":
        return json_response({"errors": [], "warnings": []})
    end = next((place for place, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), len(lines))
    try:
        yaml.safe_load("\n".join(lines[1:end]))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return json_response({"errors": [{"message": str(error)}], "warnings": []}, 400)
    return json_response({"errors": [], "warnings": []})


def _list(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    items = values.get(key)
    if not isinstance(items, list) or len(items) > 1000 or not all(isinstance(item, dict) for item in items):
        raise HttpError(400, f"{key} is not a list of at most 1000 objects")
    return items
