"""Push: which way each file goes, and the commit that makes them all visible at once."""

import asyncio
import base64
import binascii
import hashlib
from dataclasses import replace
from typing import Any

from zoo.hub.server import frontmatter
from zoo.hub.server.access import Access
from zoo.hub.server.blobs import NewBlob
from zoo.hub.server.commits import Change
from zoo.hub.server.commits import Request as CommitRequest
from zoo.hub.server.http import HttpError, Request, Response, decode_json, json_response, text_of
from zoo.hub.server.names import check_new_path, check_path, check_ref
from zoo.hub.server.repos import Repo
from zoo.hub.server.trees import large_file, regular_file

MAX_REGULAR = 10 * 1024 * 1024
_MAX_OPERATIONS = 50_000
_LFS_SUFFIXES = (".safetensors", ".bin", ".parquet", ".npy", ".png", ".jpg", ".gif", ".onnx", ".gz", ".zip")
_LFS_FROM = 1024 * 1024


async def preupload(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Say of each file whether it goes by LFS or inside the commit, and what is there under its name."""
    if request.flag("create_pr"):
        raise HttpError(501, "This Hub has no pull requests; push to a branch")
    values = await request.json()
    root = access.store.commits.tree(repo, access.commit(repo, revision))
    answers = []
    for item in objects(values, "files"):
        path, size = text_of(item, "path"), item.get("size")
        large = path.lower().endswith(_LFS_SUFFIXES) or (isinstance(size, int) and size >= _LFS_FROM)
        there = access.store.trees.find(root, path) if path else None
        oid = None
        if there and not there.folder and access.store.blobs.path(there.sha256).is_file():
            oid = there.sha256 if large else there.oid if not there.lfs else None
        answers.append({"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid})
    return json_response({"files": answers})


async def commit(access: Access, request: Request, repo: Repo, branch: str) -> Response:
    """Put all changes on a branch, or none."""
    if request.flag("create_pr"):
        raise HttpError(501, "This Hub has no pull requests; push to a branch")
    check_ref(branch)
    user = access.require_writer(repo.namespace)
    blobs: list[NewBlob] = []
    try:
        wanted = await _read(access, request, repo, blobs)
        wanted = replace(wanted, author=user.name, digest=f"{branch} {user.id} {wanted.digest}")
        oid = await asyncio.to_thread(access.store.commits.add, repo, branch, wanted)
    finally:
        for blob in blobs:
            blob.path.unlink(missing_ok=True)
    url = f"{access.url}/{repo.web_id}/commit/{oid}"
    return json_response({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})


async def _read(access: Access, request: Request, repo: Repo, blobs: list[NewBlob]) -> CommitRequest:
    """Read a commit line by line; contents go to disk as they come."""
    header: dict[str, Any] = {}
    changes: list[Change] = []
    digest = hashlib.sha256()
    async for line in request.lines(2 * MAX_REGULAR, access.limits.max_commit):
        digest.update(line + b"\n")
        operation = decode_json(line)
        value = operation.get("value") if isinstance(operation, dict) else None
        if not isinstance(value, dict):
            raise HttpError(400, "A line is not an object with key and value")
        if operation.get("key") == "header":
            header = value
        else:
            changes.append(await _change(access, repo, str(operation.get("key")), value, blobs))
        if len(changes) > _MAX_OPERATIONS:
            raise HttpError(413, f"More than {_MAX_OPERATIONS:,} changes", headers={"Connection": "close"})
    title = text_of(header, "summary").strip() or "Update"
    return CommitRequest(
        changes=changes,
        author="",
        title=title[:1000],
        message=text_of(header, "description")[:100_000],
        parent=text_of(header, "parentCommit") or None,
        digest=digest.hexdigest(),
        blobs=blobs,
    )


async def _change(access: Access, repo: Repo, key: str, value: dict[str, Any], blobs: list[NewBlob]) -> Change:
    match key:
        case "file":
            path = check_new_path(text_of(value, "path"))
            content = _content(path, value)
            access.store.blobs.check_space(len(content), access.limits.reserve)
            blob = await asyncio.to_thread(access.store.blobs.write, content)
            blobs.append(blob)
            return Change("put", path, regular_file(path.rpartition("/")[2], content, blob.sha256))
        case "lfsFile":
            path = check_new_path(text_of(value, "path"))
            given = access.store.blobs.given(repo.id, text_of(value, "oid"))
            if given is None:
                raise HttpError(422, f"{path} names an object that was not uploaded to this repo")
            return Change("put", path, large_file(path.rpartition("/")[2], given.sha256, given.size))
        case "deletedFile":
            return Change("delete file", check_path(text_of(value, "path")))
        case "deletedFolder":
            path = text_of(value, "path").strip("/")
            return Change("delete folder", check_path(path))
    raise HttpError(400, f"Unknown operation {key[:50]!r}")


def _content(path: str, value: dict[str, Any]) -> bytes:
    if text_of(value, "encoding", "base64") != "base64":
        raise HttpError(400, f"{path} is not base64")
    try:
        content = base64.b64decode(text_of(value, "content"), validate=True)
    except (binascii.Error, ValueError):
        raise HttpError(400, f"{path} is not base64") from None
    if len(content) > MAX_REGULAR:
        raise HttpError(413, f"{path} is larger than {MAX_REGULAR:,} bytes; it goes by LFS")
    return content


async def validate_yaml(access: Access, request: Request) -> Response:
    """Check a card's front matter, before the client pushes it. Always JSON: clients read it before the status."""
    content = text_of(await request.json(), "content")
    try:
        value = frontmatter.parse(frontmatter.block(content)[0])
        if value is not None and not isinstance(value, dict):
            raise ValueError("the front matter is no mapping of names to values")
    except ValueError as error:
        return json_response({"errors": [{"message": str(error)}], "warnings": []}, 400)
    return json_response({"errors": [], "warnings": []})


def objects(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return a list of objects of a body. Raise HttpError 400 for anything else."""
    items = values.get(key)
    if not isinstance(items, list) or len(items) > 1000 or not all(isinstance(item, dict) for item in items):
        raise HttpError(400, f"{key} is not a list of at most 1000 objects")
    return items
