"""Push: which way each file goes, and the commit that makes them all visible at once."""

import asyncio
from typing import Any
from weakref import WeakValueDictionary

from zoo.hub.server import frontmatter, work
from zoo.hub.server.access import Access
from zoo.hub.server.commit_body import MAX_REGULAR, CommitBody
from zoo.hub.server.http import MAX_JSON, HttpError, Request, Response, json_response, text_of
from zoo.hub.server.names import check_ref
from zoo.hub.server.repos import Repo

_LFS_SUFFIXES = (".safetensors", ".bin", ".parquet", ".npy", ".png", ".jpg", ".gif", ".onnx", ".gz", ".zip")
_LFS_FROM = 1024 * 1024
_MAX_CHECKED = 1024 * 1024
_BATCH_BYTES, _BATCH_LINES = 1024 * 1024, 1000


class Turns:
    """Commits to one repo come one after another: none does its work in vain, and those that wait hold no thread."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def of(self, repo: Repo) -> asyncio.Lock:
        """Return the lock of a repo."""
        return self._locks.setdefault(repo.id, asyncio.Lock())


async def preupload(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Say of each file whether it goes by LFS or inside the commit, and what is there under its name."""
    if request.flag("create_pr"):
        raise HttpError(501, "This Hub has no pull requests; push to a branch")
    values = await request.json()
    return json_response({"files": await asyncio.to_thread(_ways, access, repo, revision, objects(values, "files"))})


def _ways(access: Access, repo: Repo, revision: str, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    root = access.store.commits.tree(repo, access.commit(repo, revision))
    answers = []
    for item in files:
        work.check()
        path, size = text_of(item, "path"), item.get("size")
        large = path.lower().endswith(_LFS_SUFFIXES) or (isinstance(size, int) and size >= _LFS_FROM)
        there = access.store.trees.find(root, path) if path else None
        oid = None
        if there and not there.folder and access.store.blobs.shelves.size(there.sha256) is not None:
            oid = there.sha256 if large else there.oid if not there.lfs else None
        answers.append({"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid})
    return answers


async def commit(access: Access, request: Request, turns: Turns, repo: Repo, branch: str) -> Response:
    """Put all changes on a branch, or none."""
    if request.flag("create_pr"):
        raise HttpError(501, "This Hub has no pull requests; push to a branch")
    check_ref(branch)
    user = access.require_writer(repo.namespace)
    body = CommitBody(access, repo)
    try:
        await _receive(access, request, body)
        async with turns.of(repo):
            wanted = body.request(branch, user.id, user.name)
            oid = await work.run_heavy(access.store.commits.add, repo, branch, wanted)
    finally:
        for blob in body.blobs:
            blob.path.unlink(missing_ok=True)
    url = f"{access.url}/{repo.web_id}/commit/{oid}"
    return json_response({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})


async def squash(access: Access, request: Request, repo: Repo, branch: str) -> Response:
    """Put one commit in the place of a branch's history."""
    user = access.require_writer(repo.namespace)
    title, _, message = text_of(await request.json(), "message").strip().partition("\n")
    wanted = title[:1000] or f"Super-squash branch '{branch[:200]}'", message.strip()[:100_000]
    oid = await work.run_heavy(access.store.commits.squash, repo, branch, user.name, *wanted)
    return json_response({"commitOid": oid})


async def _receive(access: Access, request: Request, body: CommitBody) -> None:
    """Read the lines in batches that are worth a thread."""
    batch: list[bytes] = []
    held = 0
    async for line in request.lines(2 * MAX_REGULAR, access.limits.max_commit):
        batch.append(line)
        held += len(line)
        if held >= _BATCH_BYTES or len(batch) == _BATCH_LINES:
            await asyncio.to_thread(body.take, batch)
            batch, held = [], 0
    await asyncio.to_thread(body.take, batch)


async def validate_yaml(access: Access, request: Request) -> Response:
    """Check a card's front matter, before the client pushes it. Always JSON: clients read it before the status."""
    if request.length > _MAX_CHECKED:
        async for _ in request.chunks(MAX_JSON):
            pass
        message = f"A card of more than {_MAX_CHECKED:,} bytes is not checked before it is pushed"
        return json_response({"errors": [], "warnings": [{"message": message}]})
    content = text_of(await request.json(_MAX_CHECKED), "content")
    try:
        value = await asyncio.to_thread(lambda: frontmatter.parse(frontmatter.block(content)[0]))
        if value is not None and not isinstance(value, dict):
            raise ValueError("the front matter is no mapping of names to values")
    except ValueError as error:
        return json_response({"errors": [{"message": str(error)}], "warnings": []}, 400)
    return json_response({"errors": [], "warnings": []})


def objects(values: dict[str, Any], key: str, maximum: int = 1000) -> list[dict[str, Any]]:
    """Return a list of objects of a body. Raise HttpError 400 for anything else."""
    items = values.get(key)
    if not isinstance(items, list) or len(items) > maximum or not all(isinstance(item, dict) for item in items):
        raise HttpError(400, f"{key} is not a list of at most {maximum:,} objects")
    return items
