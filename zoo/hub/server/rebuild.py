"""Build the files that a shard describes from the xorbs that its user has sent.

All that a shard asks for is known before any of it is done: what there is to read is planned in one pass over its
xorbs, and what is then done is in proportion to the bytes of the files.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import IO, NamedTuple

from zoo.hub.server import work
from zoo.hub.server.blobs import BlobWriter
from zoo.hub.server.capabilities import Capability
from zoo.hub.server.http import HttpError
from zoo.hub.server.options import Limits
from zoo.hub.server.store import Store
from zoo.hub.server.xet import MAX_TERMS, ShardFile, read_shard
from zoo.hub.server.xorbs import Piece, Placement

_BATCH = 1024 * 1024
_FILE_COST = 256 * 1024  # what it takes to flush and note a file, as bytes
_TRIES = 3


class Plan(NamedTuple):
    """A file, and for each of its terms what it is put together from."""

    file: ShardFile
    runs: list[list[Piece]]

    def pieces(self) -> Iterator[Piece]:
        """Yield what the whole file is put together from."""
        for run in self.runs:
            yield from run


def rebuild(store: Store, capability: Capability, shard: IO[bytes], limits: Limits) -> None:
    """Make a blob of every file in a shard, verified by its sha256. Raise HttpError where one cannot be made."""
    files = list({file.sha256: file for file in read_shard(shard)}.values())
    if any(file.size > limits.max_file for file in files):
        raise HttpError(413, f"A file is larger than {limits.max_file:,} bytes")
    for _ in range(_TRIES):
        try:
            return _rebuild(store, capability, _planned(store, capability.user, files), limits)
        except FileNotFoundError:  # another shard of the user's was done meanwhile, and a xorb's file dropped
            continue
    raise HttpError(503, "The chunks of this upload are moving; try again")


def _planned(store: Store, user: int, files: list[ShardFile]) -> list[Plan]:
    """Look every xorb up once. Raise HttpError 400 for what the user has not sent, 413 for what is cut up too fine."""
    plans = [Plan(file, [[]] * len(file.terms)) for file in files]
    wanted: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for number, file in enumerate(files):
        for place, term in work.checked(enumerate(file.terms)):
            wanted[term.hash].append((number, place))
    left = MAX_TERMS
    for hash_, uses in wanted.items():
        work.check()
        chunks = store.xorbs.chunks(user, hash_)
        for number, place in work.checked(uses):
            pieces = plans[number].runs[place] = chunks.pieces(files[number].terms[place])
            left -= len(pieces)
            if left < 0:
                raise HttpError(413, f"The shard asks for more than {MAX_TERMS:,} pieces of what was sent")
    return plans


def _rebuild(store: Store, capability: Capability, plans: list[Plan], limits: Limits) -> None:
    repo = capability.check(store).id
    known = {plan.file.sha256: store.blobs.given(repo, plan.file.sha256) for plan in plans}
    store.blobs.check_space(sum(plan.file.size for plan in plans if not known[plan.file.sha256]), limits.reserve)
    work.allow(sum(plan.file.size + _FILE_COST for plan in plans))
    for plan in plans:
        work.check()
        if known[plan.file.sha256] is None:
            _build(store, capability, plan)
        elif any(not piece.placed for piece in plan.pieces()):
            _compare(store, plan)
    _settle(store, capability.user, plans)


def _build(store: Store, capability: Capability, plan: Plan) -> None:
    writer = BlobWriter(store.blobs, plan.file.size)
    try:
        for chunk in _read(store, plan.pieces()):
            writer.write([chunk])
        blob = writer.finish(plan.file.sha256)
        if blob is None:
            raise HttpError(422, "The bytes do not have the sha256 of the shard; nothing was kept")
        capability.keep(store, blob)
    except BaseException:
        writer.discard()
        raise


def _compare(store: Store, plan: Plan) -> None:
    """Raise HttpError 422 unless the user has sent the very bytes of a blob that the repo has: a hash is no proof."""
    with store.blobs.open(plan.file.sha256) as blob:
        same = all(blob.read(len(chunk)) == chunk for chunk in _read(store, plan.pieces()))
        if not same or blob.read(1):
            raise HttpError(422, "The bytes do not have the sha256 of the shard; nothing was kept")


def _read(store: Store, pieces: Iterable[Piece]) -> Iterator[bytes]:
    """Yield the bytes of pieces in a row; those of one file that follow each other open it once."""
    batch: list[bytes] = []
    held = 0
    for (name, placed), group in groupby(pieces, lambda piece: (piece.name, piece.placed)):
        with store.blobs.open(name) if placed else open(store.xorbs.folder / name, "rb") as file:
            for _, _, offset, size in group:
                end = offset + size
                while offset < end and (chunk := os.pread(file.fileno(), min(_BATCH, end - offset), offset)):
                    work.check()
                    offset += len(chunk)
                    batch.append(chunk)
                    held += len(chunk)
                    if held >= _BATCH:
                        yield b"".join(batch)
                        batch, held = [], 0
    yield b"".join(batch)


def _settle(store: Store, user: int, plans: list[Plan]) -> None:
    """Remember where the blobs have what was read from the files of xorbs."""
    places: defaultdict[tuple[str, str], list[Placement]] = defaultdict(list)
    for file, runs in plans:
        offset = 0
        for term, run in zip(file.terms, runs, strict=True):
            if not run[0].placed:
                places[term.hash, run[0].name].append(Placement(term.first, term.last, file.sha256, offset))
            offset += term.size
    for (hash_, name), found in places.items():
        store.xorbs.settle(user, hash_, name, found)
