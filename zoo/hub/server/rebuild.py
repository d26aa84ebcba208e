"""Build the files that a shard describes from the xorbs that its user has sent."""

from pathlib import Path

from zoo.hub.server import work
from zoo.hub.server.blobs import BlobWriter
from zoo.hub.server.http import HttpError
from zoo.hub.server.store import Store
from zoo.hub.server.xet import ShardFile, read_shard

_BATCH = 1024 * 1024


def rebuild(store: Store, user: int, repo: int, shard: Path, max_file: int, reserve: int) -> None:
    """Make a blob of every file in a shard, verified by its sha256. Raise HttpError where one cannot be made."""
    touched: set[str] = set()
    with open(shard, "rb") as opened:
        for file in read_shard(opened):
            touched |= {term.hash for term in file.terms}
            if file.size > max_file:
                raise HttpError(413, f"A file is larger than {max_file:,} bytes")
            if store.blobs.given(repo, file.sha256) is None:
                store.blobs.check_space(file.size, reserve)
                _build(store, user, repo, file)
            else:
                with store.database.transaction() as connection:
                    store.xorbs.place(connection, user, file.sha256, file.terms)
    store.xorbs.drop_placed(user, touched)


def _build(store: Store, user: int, repo: int, file: ShardFile) -> None:
    writer = BlobWriter(store.blobs, file.size)
    try:
        for term in file.terms:
            work.check()
            before = writer.size
            batch: list[bytes] = []
            held = 0
            for chunk in store.xorbs.read(user, term, store.blobs.open):
                batch.append(chunk)
                held += len(chunk)
                if held >= _BATCH:
                    writer.write(batch)
                    batch, held = [], 0
            writer.write(batch)
            work.allow(writer.size - before)
            if writer.size - before != term.size:
                raise HttpError(400, "The shard gives a run of chunks another length than they have")
        blob = writer.finish(file.sha256)
    except BaseException:
        writer.discard()
        raise
    if blob is None:
        raise HttpError(422, "The bytes do not have the sha256 of the shard; nothing was kept")
    store.blobs.place([blob])
    with store.database.transaction() as connection:
        store.blobs.keep(connection, repo, [blob])
        store.xorbs.place(connection, user, file.sha256, file.terms)
