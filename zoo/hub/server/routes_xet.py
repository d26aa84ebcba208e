"""Large files by Xet, the write side: clients since huggingface_hub 1.20 upload in no other way."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from zoo.hub.server import signing, work
from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request, Response, json_response
from zoo.hub.server.rebuild import rebuild
from zoo.hub.server.repos import Repo
from zoo.hub.server.xet import MAX_SHARD, MAX_XORB

_log = logging.getLogger("zoo.hub.server")
_TOKEN_SECONDS = 3600
_ALIVE_SECONDS = 5.0
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TOKEN = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9a-f]{64})", re.ASCII)


async def write_token(access: Access, repo: Repo) -> Response:
    """Say where to upload to, and with which token.

    The address names store and user: clients keep what they have uploaded by it, and a store that no longer has those
    chunks, or has them from somebody else, must look like another one.
    """
    user = access.require_writer(repo.namespace)
    expires = int(time.time()) + _TOKEN_SECONDS
    words = (str(user.id), str(repo.id), str(expires))
    token = ".".join((*words, signing.sign(access.store.signing_key, "xet", *words)))
    url = f"{access.url}/cas/{access.store.id}-{user.id}"
    headers = {
        "X-Xet-Cas-Url": url,
        "X-Xet-Access-Token": token,
        "X-Xet-Token-Expiration": str(expires),
    }
    return json_response({"casUrl": url, "accessToken": token, "exp": expires}, headers=headers)


async def answer(access: Access, request: Request, route: list[str]) -> Response:
    """Answer below the address of write_token. What is unknown gets 404 at once: clients then try another way."""
    match request.method, route:
        case "POST", ["v1", "xorbs", _, hash_]:
            return await _take_xorb(access, request, hash_)
        case "POST", ["v2", "shards"]:
            return await _take_shard(access, request, lines=True)
        case "POST", ["v1", "shards"] | ["shards"]:
            return await _take_shard(access, request, lines=False)
    raise HttpError(404, "Not found")


def check_token(access: Access, authorization: str) -> tuple[int, int]:
    """Return the user and the repo that a token of write_token is for."""
    match = _TOKEN.fullmatch(authorization.partition(" ")[2].strip())
    if match is None:
        raise HttpError(401, "Invalid credentials in Authorization header")
    user, repo, expires, signature = match.groups()
    signing.check(access.store.signing_key, signature, expires, "xet", user, repo)
    return int(user), int(repo)


async def _take_xorb(access: Access, request: Request, hash_: str) -> Response:
    user, _ = check_token(access, request.headers.get("authorization", ""))
    if not _HASH.fullmatch(hash_):
        raise HttpError(400, "Invalid xorb hash")
    path = await _receive(access, request, MAX_XORB)
    try:
        new = await work.run_heavy(access.store.xorbs.add, user, hash_, path)
    finally:
        path.unlink(missing_ok=True)
    return json_response({"was_inserted": new})


async def _receive(access: Access, request: Request, limit: int) -> Path:
    access.store.blobs.check_space(limit, access.limits.reserve)
    path = access.store.blobs.temporary / secrets.token_hex(16)
    try:
        with open(path, "xb") as file:
            async for chunks in request.batches(limit):
                await asyncio.to_thread(file.writelines, chunks)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


async def _take_shard(access: Access, request: Request, lines: bool) -> Response:
    user, repo = check_token(access, request.headers.get("authorization", ""))
    path = await _receive(access, request, MAX_SHARD)
    limits = access.limits
    building = asyncio.ensure_future(
        work.run_heavy(rebuild, access.store, user, repo, path, limits.max_file, limits.reserve)
    )
    building.add_done_callback(lambda _: path.unlink(missing_ok=True))
    if lines:
        return Response(headers={"Content-Type": "application/x-ndjson"}, stream=_progress(building))
    await building
    return json_response({"result": 1})


async def _progress(building: "asyncio.Future[None]") -> AsyncIterator[bytes]:
    """Say that the work goes on until it ends, then how."""
    while True:
        done, _ = await asyncio.wait([building], timeout=_ALIVE_SECONDS)
        if not done:
            yield _line("validating", verified=0, total=1)
            continue
        error = building.exception()
        if error is None:
            yield _line("result")
        elif isinstance(error, HttpError):
            yield _line("error", message=str(error), retryable=error.status >= 500)
        else:
            _log.error("a shard could not be built", exc_info=error)
            yield _line("error", message="Internal error", retryable=True)
        return


def _line(type_: str, **values: object) -> bytes:
    return msgspec.json.encode({"type": type_, **values}) + b"\n"
