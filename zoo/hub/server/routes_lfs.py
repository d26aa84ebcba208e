"""Large files by LFS: at once, or in parts. Uploads carry no token, so their addresses are capabilities."""

import asyncio
import os
import re
import time
from typing import Any

from zoo.hub.server import capabilities, work
from zoo.hub.server.access import Access
from zoo.hub.server.blobs import BlobWriter
from zoo.hub.server.http import HttpError, Request, Response, json_response, text_of
from zoo.hub.server.parts import Key, Parts, joined
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_commit import objects
from zoo.hub.server.users import User

_UPLOAD_SECONDS = 6 * 3600
_MAX_PARTS = 10_000
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


async def batch(access: Access, request: Request, repo: Repo) -> Response:
    """Give an address to upload to for each object that this repo does not have."""
    values = await request.json()
    if values.get("operation") != "upload":
        raise HttpError(400, "Only uploads go by LFS; files are downloaded from resolve")
    transfers = values.get("transfers")
    in_parts = isinstance(transfers, list) and "multipart" in transfers
    items = objects(values, "objects")
    return await work.run_write(_batch, access, access.require_writer(repo.namespace), repo, items, in_parts)


def _batch(access: Access, user: User, repo: Repo, items: list[dict[str, Any]], in_parts: bool) -> Response:
    answers = []
    size = parts = 0
    for item in items:
        work.check()
        answer = _checked(access, item)
        if "error" not in answer and access.store.blobs.given(repo.id, answer["oid"]) is None:
            size += answer["size"]
            access.store.blobs.check_space(size, access.limits.reserve)
            count = _count(access, answer["size"]) if in_parts and answer["size"] >= access.limits.multipart_from else 0
            parts += count
            if parts > _MAX_PARTS:
                raise HttpError(413, f"These objects come in more than {_MAX_PARTS:,} parts; ask for fewer at once")
            answer["actions"] = _actions(access, user, repo, answer["oid"], answer["size"], count)
        answers.append(answer)
    return json_response({"transfer": "multipart" if parts else "basic", "objects": answers})


def _checked(access: Access, item: dict[str, Any]) -> dict[str, Any]:
    oid, size = item.get("oid"), item.get("size")
    if not isinstance(oid, str) or not _SHA256.fullmatch(oid) or type(size) is not int or size < 0:
        return {"oid": oid, "size": size, "error": {"code": 422, "message": "Invalid object"}}
    if size > access.limits.max_file:
        message = f"A file may have {access.limits.max_file:,} bytes here"
        return {"oid": oid, "size": size, "error": {"code": 413, "message": message}}
    return {"oid": oid, "size": size}


def _actions(access: Access, user: User, repo: Repo, oid: str, size: int, count: int) -> dict[str, Any]:
    expires = int(time.time()) + _UPLOAD_SECONDS
    object_ = f"lfs/{repo.type}/{repo.name}/{oid}/{size}"
    capability = capabilities.issue(access.store, user, repo, expires, object_)

    def address(part: str) -> str:
        return f"{access.url}/{object_}/{part}/{capability}"

    header = {str(number): address(str(number)) for number in range(1, count + 1)}
    if count:
        header["chunk_size"] = str(access.limits.part_size)
    verify = {"href": f"{access.url}/{repo.web_id}.git/info/lfs/verify", "header": {}}
    return {"upload": {"href": address("whole"), "header": header}, "verify": verify}


def _count(access: Access, size: int) -> int:
    return -(-size // access.limits.part_size)


async def verify(access: Access, request: Request, repo: Repo) -> Response:
    """Confirm that an object has arrived."""
    values = await request.json()
    blob = await work.run_write(access.store.blobs.given, repo.id, text_of(values, "oid"))
    if blob is None or blob.size != values.get("size"):
        raise HttpError(404, "Object not found")
    return json_response({})


async def upload(access: Access, request: Request, parts: Parts) -> Response:
    """Take an object in, or a part of one, or put its parts together."""
    *object_, oid, size, part, text = request.segments
    if not _NUMBER.fullmatch(size) or not (part == "whole" or _NUMBER.fullmatch(part)):
        raise HttpError(404, "Not found")
    capability = capabilities.accept(access.store, text, "/".join((*object_, oid, size)))
    key = Key(capability, oid, int(size))
    if part != "whole":
        if request.method != "PUT" or not 0 < int(part) <= _count(access, key.size):
            raise HttpError(404, "Not found")
        return await _take_part(access, request, parts, key, int(part))
    if request.method == "POST":
        return await _complete(access, request, parts, key)
    access.store.blobs.check_space(key.size, access.limits.reserve)
    writer = BlobWriter(access.store.blobs, key.size)
    try:
        await _receive(request, writer, key.size)
        blob = await asyncio.to_thread(writer.finish, oid)
        if blob is None:
            raise HttpError(422, "The bytes do not have the announced sha256 and size; nothing was kept")
        await work.run_write(capability.keep, access.store, blob)
    except BaseException:
        writer.discard()
        raise
    return json_response({})


async def _receive(request: Request, writer: BlobWriter, size: int) -> None:
    """Hash and write one batch while the next one comes."""
    writing: asyncio.Future[None] | None = None
    try:
        async for chunks in request.batches(size):
            if writing is not None:
                await writing
            writing = asyncio.ensure_future(asyncio.to_thread(writer.write, chunks))
    finally:
        if writing is not None:
            await writing


async def _take_part(access: Access, request: Request, parts: Parts, key: Key, number: int) -> Response:
    start = (number - 1) * access.limits.part_size
    length = min(access.limits.part_size, key.size - start)
    access.store.blobs.check_space(length, access.limits.reserve)
    written = 0
    with parts.open(key) as file:
        async for chunks in request.batches(length):
            for chunk in chunks:
                await asyncio.to_thread(os.pwrite, file.fileno(), chunk, start + written)
                written += len(chunk)
    if written != length:
        raise HttpError(422, f"Part {number} has {written:,} bytes, not {length:,}")
    key.capability.check(access.store)
    return json_response({}, headers={"ETag": f'"{parts.note(key, number)}"'})


async def _complete(access: Access, request: Request, parts: Parts, key: Key) -> Response:
    values = await request.json()
    etags = dict(map(_etag, objects(values, "parts", _MAX_PARTS)))
    repo = key.capability.check(access.store)
    if await work.run_write(access.store.blobs.given, repo.id, key.oid) is not None:  # sent again
        parts.discard(key)
        return json_response({})
    if etags != parts.noted(key, _count(access, key.size)):
        raise HttpError(422, "Parts are missing, or were sent otherwise; upload the file again")

    def job() -> None:
        blob = joined(path, key.oid, key.size)
        if blob is None:
            raise HttpError(422, "The parts do not have the announced sha256 and size; nothing was kept")
        key.capability.keep(access.store, blob)

    task = work.start(key.capability.user, job)
    path = parts.take(key)
    try:
        await task
    finally:
        path.unlink(missing_ok=True)
    return json_response({})


def _etag(part: dict[str, Any]) -> tuple[int, str]:
    number = part.get("partNumber")
    if type(number) is not int:
        raise HttpError(400, "partNumber is not a number")
    return number, text_of(part, "etag").strip('"')
