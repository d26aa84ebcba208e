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
_PART = re.compile(r"(whole|[0-9]{1,18})(?:x([0-9]{1,18}))?", re.ASCII)
_SMALLEST_PART = 5 * 1024 * 1024


async def batch(access: Access, request: Request, repo: Repo) -> Response:
    """Give an address to upload to for each object that this repo does not have.

    A client that asks for a `part_size` of its own, as our pages do, sends what is larger in such parts: what has come
    of a file then stays when the connection breaks.
    """
    values = await request.json()
    if values.get("operation") != "upload":
        raise HttpError(400, "Only uploads go by LFS; files are downloaded from resolve")
    transfers = values.get("transfers")
    in_parts = isinstance(transfers, list) and "multipart" in transfers
    items = objects(values, "objects")
    first: tuple[int, int | None] = (access.limits.multipart_from if in_parts else access.limits.max_file + 1), None
    if (part_size := values.get("part_size")) is not None:
        if type(part_size) is not int or not _allowed(access, part_size):
            raise HttpError(422, f"part_size is a number from {_smallest(access):,} to {access.limits.part_size:,}")
        first = part_size + 1, part_size
    return await work.run_write(_batch, access, access.require_writer(repo.namespace), repo, items, first)


def _smallest(access: Access) -> int:
    return min(_SMALLEST_PART, access.limits.part_size)


def _allowed(access: Access, part_size: int) -> bool:
    return _smallest(access) <= part_size <= access.limits.part_size


def _batch(
    access: Access, user: User, repo: Repo, items: list[dict[str, Any]], in_parts: tuple[int, int | None]
) -> Response:
    """Answer; objects come in parts from a size on, which are as large as this Hub's, or as the client said."""
    first, part_size = in_parts
    answers = []
    size = parts = 0
    for item in items:
        work.check()
        answer = _checked(access, item)
        if "error" not in answer and access.store.blobs.given(repo.id, answer["oid"]) is None:
            size += answer["size"]
            access.store.blobs.check_space(size, access.limits.reserve)
            count = _count(answer["size"], part_size or access.limits.part_size) if answer["size"] >= first else 0
            parts += count
            if parts > _MAX_PARTS:
                raise HttpError(413, f"These objects come in more than {_MAX_PARTS:,} parts; ask for fewer at once")
            answer["actions"] = _actions(access, user, repo, answer, (count, part_size))
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


def _actions(
    access: Access, user: User, repo: Repo, item: dict[str, Any], parts: tuple[int, int | None]
) -> dict[str, Any]:
    expires = int(time.time()) + _UPLOAD_SECONDS
    count, part_size = parts
    object_ = f"lfs/{repo.type}/{repo.name}/{item['oid']}/{item['size']}"
    asked = f"x{part_size}" if part_size and count else ""
    capability = capabilities.issue(access.store, user, repo, expires, object_)

    def address(part: str) -> str:
        return f"{access.url}/{object_}/{part}{asked}/{capability}"

    header = {str(number): address(str(number)) for number in range(1, count + 1)}
    if count:
        header["chunk_size"] = str(part_size or access.limits.part_size)
    verify = {"href": f"{access.url}/{repo.web_id}.git/info/lfs/verify", "header": {}}
    return {"upload": {"href": address("whole"), "header": header}, "verify": verify}


def _count(size: int, part_size: int) -> int:
    return -(-size // part_size)


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
    match = _PART.fullmatch(part)
    part_size = int(match[2]) if match and match[2] else access.limits.part_size
    if not _NUMBER.fullmatch(size) or match is None or not _allowed(access, part_size):
        raise HttpError(404, "Not found")
    part = match[1]
    capability = capabilities.accept(access.store, text, "/".join((*object_, oid, size)))
    key = Key(capability, oid, int(size))
    if part != "whole":
        if request.method != "PUT" or not 0 < int(part) <= min(_count(key.size, part_size), _MAX_PARTS):
            raise HttpError(404, "Not found")
        return await _take_part(access, request, parts, key, (int(part), part_size))
    if request.method == "POST":
        return await _complete(access, request, parts, key, _count(key.size, part_size))
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


async def _take_part(access: Access, request: Request, parts: Parts, key: Key, part: tuple[int, int]) -> Response:
    number, part_size = part
    start = (number - 1) * part_size
    length = min(part_size, key.size - start)
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


async def _complete(access: Access, request: Request, parts: Parts, key: Key, count: int) -> Response:
    values = await request.json()
    etags = dict(map(_etag, objects(values, "parts", _MAX_PARTS)))
    repo = key.capability.check(access.store)
    if await work.run_write(access.store.blobs.given, repo.id, key.oid) is not None:  # sent again
        parts.discard(key)
        return json_response({})
    if etags != parts.noted(key, count):
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
