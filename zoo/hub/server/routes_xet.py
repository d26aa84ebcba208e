"""Large files by Xet, the write side: clients since huggingface_hub 1.20 upload in no other way."""

import asyncio
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile

import msgspec

from zoo.hub.server import capabilities, work
from zoo.hub.server.access import Access
from zoo.hub.server.capabilities import Capability
from zoo.hub.server.http import HttpError, Request, Response, json_response
from zoo.hub.server.rebuild import rebuild
from zoo.hub.server.repos import Repo
from zoo.hub.server.xet import MAX_SHARD, MAX_XORB, Unpacker

_log = logging.getLogger("zoo.hub.server")
_TOKEN_SECONDS = 3600
_ALIVE_SECONDS = 5.0
_IN_MEMORY = 64 * 1024  # of a shard; most are smaller, and need no file
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


async def write_token(access: Access, repo: Repo) -> Response:
    """Say where to upload to, and with which token.

    The address names store and user: clients keep what they have uploaded by it, and a store that no longer has those
    chunks, or has them from somebody else, must look like another one.
    """
    user = access.require_writer(repo.namespace)
    expires = int(time.time()) + _TOKEN_SECONDS
    token = capabilities.issue(access.store, user, repo, expires, "xet")
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
        case ["POST", ["v1", "xorbs", _, hash_]]:
            return await _take_xorb(access, request, hash_)
        case ["POST", ["v2", "shards"]]:
            return await _take_shard(access, request, lines=True)
        case ["POST", ["v1", "shards"] | ["shards"]]:
            return await _take_shard(access, request, lines=False)
    raise HttpError(404, "Not found")


def _capability(access: Access, request: Request) -> Capability:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        raise HttpError(401, "Invalid credentials in Authorization header")
    return capabilities.accept(access.store, token.strip(), "xet")


async def _take_xorb(access: Access, request: Request, hash_: str) -> Response:
    capability = _capability(access, request)
    if not _HASH.fullmatch(hash_):
        raise HttpError(400, "Invalid xorb hash")
    store = access.store
    store.blobs.check_space(MAX_XORB, access.limits.reserve)
    path = store.blobs.temporary / secrets.token_hex(16)
    try:
        with open(path, "xb") as file:
            unpacker = Unpacker(file)
            async for parts in request.batches(MAX_XORB):
                await work.run_in_turn(capability.user, unpacker.write, parts)
            unpacker.finish()
        new = await work.run_write(
            store.xorbs.add, capability.user, hash_, path, unpacker.lengths, lambda: capability.check(store)
        )
    finally:
        path.unlink(missing_ok=True)
    return json_response({"was_inserted": new})


async def _take_shard(access: Access, request: Request, lines: bool) -> Response:
    capability = _capability(access, request)
    access.store.blobs.check_space(MAX_SHARD, access.limits.reserve)
    shard = SpooledTemporaryFile(_IN_MEMORY, dir=str(access.store.blobs.temporary))
    try:
        async for parts in request.batches(MAX_SHARD):
            await asyncio.to_thread(shard.writelines, parts)
        task = work.start(capability.user, rebuild, access.store, capability, shard, access.limits)
    except BaseException:
        shard.close()
        raise
    task.add_done_callback(lambda _: shard.close())
    if lines:
        return Response(headers={"Content-Type": "application/x-ndjson"}, stream=_progress(task))
    await task
    return json_response({"result": 1})


async def _progress(task: "asyncio.Task[None]") -> AsyncIterator[bytes]:
    """Say that the work goes on until it ends, then how."""
    while True:
        done, _ = await asyncio.wait([task], timeout=_ALIVE_SECONDS)
        if not done:
            yield _line("validating", verified=0, total=1)
            continue
        error = task.exception()
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
