"""Large files by LFS: at once, or in parts. Uploads carry no token, so their addresses are signed."""

import asyncio
import os
import re
import time
from typing import Any

from zoo.hub.server import signing, work
from zoo.hub.server.access import Access
from zoo.hub.server.blobs import BlobWriter
from zoo.hub.server.http import HttpError, Request, Response, json_response, text_of
from zoo.hub.server.names import check_repo
from zoo.hub.server.parts import Parts
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_commit import objects

_UPLOAD_SECONDS = 6 * 3600
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
    answers = await work.run_write(lambda: [_object(access, repo, item, in_parts) for item in items])
    used_parts = any("chunk_size" in answer["actions"]["upload"]["header"] for answer in answers if "actions" in answer)
    return json_response({"transfer": "multipart" if used_parts else "basic", "objects": answers})


def _object(access: Access, repo: Repo, item: dict[str, Any], in_parts: bool) -> dict[str, Any]:
    oid, size = item.get("oid"), item.get("size")
    if not isinstance(oid, str) or not _SHA256.fullmatch(oid) or type(size) is not int or size < 0:
        return {"oid": oid, "size": size, "error": {"code": 422, "message": "Invalid object"}}
    limits = access.limits
    if size > limits.max_file:
        message = f"A file may have {limits.max_file:,} bytes here"
        return {"oid": oid, "size": size, "error": {"code": 413, "message": message}}
    if access.store.blobs.given(repo.id, oid) is not None:
        return {"oid": oid, "size": size}
    access.store.blobs.check_space(size, limits.reserve)
    header: dict[str, str] = {}
    if in_parts and size >= limits.multipart_from:
        count = -(-size // limits.part_size)
        header = {str(number): _address(access, repo, oid, size, str(number)) for number in range(1, count + 1)}
        header["chunk_size"] = str(limits.part_size)
    upload = {"href": _address(access, repo, oid, size, "whole"), "header": header}
    verify = {"href": f"{access.url}/{repo.web_id}.git/info/lfs/verify", "header": {}}
    return {"oid": oid, "size": size, "actions": {"upload": upload, "verify": verify}}


def _address(access: Access, repo: Repo, oid: str, size: int, part: str) -> str:
    expires = str(int(time.time()) + _UPLOAD_SECONDS)
    parts = (repo.type, repo.name, oid, str(size), part)
    return f"{access.url}/lfs/{'/'.join(parts)}/{expires}/{signing.sign(access.store.signing_key, *parts, expires)}"


async def verify(access: Access, request: Request, repo: Repo) -> Response:
    """Confirm that an object has arrived."""
    values = await request.json()
    blob = await work.run_write(access.store.blobs.given, repo.id, text_of(values, "oid"))
    if blob is None or blob.size != values.get("size"):
        raise HttpError(404, "Object not found")
    return json_response({})


async def upload(access: Access, request: Request, parts: Parts) -> Response:
    """Take an object in, or a part of one, or put its parts together."""
    repo, oid, size, part = _signed(access, request)
    if part != "whole":
        if request.method != "PUT":
            raise HttpError(404, "Not found")
        return await _take_part(access, request, parts, f"{repo.id}-{oid}", size, int(part))
    if request.method == "POST":
        return await _complete(access, request, parts, repo, oid, size)
    access.store.blobs.check_space(size, access.limits.reserve)
    writer = BlobWriter(access.store.blobs, size)
    try:
        await _receive(request, writer, size)
        blob = await asyncio.to_thread(writer.finish, oid)
        if blob is None:
            raise HttpError(422, "The bytes do not have the announced sha256 and size; nothing was kept")
        await work.run_write(access.store.keep, repo, blob)
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


def _signed(access: Access, request: Request) -> tuple[Repo, str, int, str]:
    _, type_, namespace, name, oid, size, part, expires, signature = request.segments
    if not all(_NUMBER.fullmatch(text) for text in (size, expires)):
        raise HttpError(403, "The upload's address is not valid, or no longer")
    full_name = check_repo(namespace, name)
    signing.check(access.store.signing_key, signature, expires, type_, full_name, oid, size, part)
    repo = access.store.repos.find(type_, full_name)
    if repo is None:
        raise HttpError(404, "Repository not found", "RepoNotFound")
    return repo, oid, int(size), part


async def _take_part(access: Access, request: Request, parts: Parts, key: str, size: int, number: int) -> Response:
    start = (number - 1) * access.limits.part_size
    length = min(access.limits.part_size, size - start)
    access.store.blobs.check_space(length, access.limits.reserve)
    written = 0
    with parts.open(key) as file:
        async for chunks in request.batches(length):
            for chunk in chunks:
                await asyncio.to_thread(os.pwrite, file.fileno(), chunk, start + written)
                written += len(chunk)
    if written != length:
        raise HttpError(422, f"Part {number} has {written:,} bytes, not {length:,}")
    return json_response({}, headers={"ETag": f'"{parts.note(key, number)}"'})


async def _complete(access: Access, request: Request, parts: Parts, repo: Repo, oid: str, size: int) -> Response:
    values = await request.json()
    count = -(-size // access.limits.part_size)
    key = f"{repo.id}-{oid}"
    etags = {item.get("partNumber"): str(item.get("etag")).strip('"') for item in objects(values, "parts")}
    if await work.run_write(access.store.blobs.given, repo.id, oid) is not None:  # sent again
        return json_response({})
    if etags != parts.noted(key, count):
        raise HttpError(422, "Parts are missing, or were sent otherwise; upload the file again")
    work.allow(size)
    blob = await work.run_heavy(parts.join, key, oid, size)
    if blob is None:
        raise HttpError(422, "The parts do not have the announced sha256 and size; nothing was kept")
    await work.run_write(access.store.keep, repo, blob)
    return json_response({})
