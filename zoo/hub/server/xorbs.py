"""What Xet clients upload before a file exists: xorbs, bags of chunks, and where their chunks lie once files are built.

A client remembers which chunks it has sent and never sends them again. A xorb's own file is dropped as soon as every
chunk of it lies in some blob; that place is remembered instead. All of it is kept by user: a hash is no right to bytes.
"""

import os
import sqlite3
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zoo.hub.server.database import Database
from zoo.hub.server.http import HttpError
from zoo.hub.server.xet import Term, chunk_content, read_chunk_heads

BlobOpener = Callable[[str], BinaryIO]

_READ = 1024 * 1024


@dataclass(frozen=True)
class Placement:
    """Chunks of a xorb, first to last exclusive, and the offset in a blob from which they lie in a row."""

    hash: str
    first: int
    last: int
    sha256: str
    offset: int


class Xorbs:
    """The xorbs of all users."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder / "xorbs"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._database = database

    def add(self, user: int, hash_: str, path: Path) -> bool:
        """Keep an uploaded xorb; tell whether it was unknown. Raise HttpError 400 for a broken one."""
        with open(path, "rb") as file:
            lengths = array("I", (head.length for head in read_chunk_heads(file)))
        target = self.folder / path.name
        with self._database.transaction() as connection:
            query = "SELECT file FROM xorbs WHERE user=? AND hash=?"
            old = connection.execute(query, (user, hash_)).fetchone()
            if old is not None and old[0] is None:
                path.unlink()
                return False
            os.replace(path, target)
            values = (user, hash_, target.name, lengths.tobytes(), time.time())
            connection.execute(
                "INSERT INTO xorbs VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                " file=excluded.file, lengths=excluded.lengths, time=excluded.time",
                values,
            )
        if old is not None:
            (self.folder / old[0]).unlink(missing_ok=True)
        return old is None

    def lengths(self, user: int, hash_: str) -> "array[int] | None":
        """Return the length of every chunk of a xorb; None when the user never sent it."""
        row = self._database.row("SELECT lengths FROM xorbs WHERE user=? AND hash=?", user, hash_)
        if row is None:
            return None
        lengths = array("I")
        lengths.frombytes(row[0])
        return lengths

    def read(self, user: int, term: Term, open_blob: BlobOpener) -> Iterator[bytes]:
        """Yield the bytes of a run of chunks. Raise HttpError 400 when they are not there."""
        lengths = self.lengths(user, term.hash)
        if lengths is None or not term.first < term.last <= len(lengths):
            raise HttpError(400, f"xorb {term.hash} was not uploaded, or has fewer chunks")
        row = self._database.row("SELECT file FROM xorbs WHERE user=? AND hash=?", user, term.hash)
        if row and row[0]:
            try:
                file = open(self.folder / row[0], "rb")
            except FileNotFoundError:  # every chunk was placed meanwhile
                pass
            else:
                with file:
                    for number, head in enumerate(read_chunk_heads(file)):
                        if term.first <= number < term.last:
                            yield chunk_content(file, head)
                        elif number >= term.last:
                            break
                return
        yield from self._placed(user, term, lengths, open_blob)

    def _placed(self, user: int, term: Term, lengths: "array[int]", open_blob: BlobOpener) -> Iterator[bytes]:
        query = "SELECT first, last, sha256, offset FROM placements WHERE user=? AND hash=? ORDER BY first, last DESC"
        places = [Placement(term.hash, *row) for row in self._database.rows(query, user, term.hash)]
        at = term.first
        while at < term.last:
            place = next((place for place in places if place.first <= at < place.last), None)
            if place is None:
                raise HttpError(400, f"chunk {at} of xorb {term.hash} is gone; upload it again")
            until = min(place.last, term.last)
            left = sum(lengths[at:until])
            with open_blob(place.sha256) as file:
                file.seek(place.offset + sum(lengths[place.first : at]))
                while left and (chunk := file.read(min(_READ, left))):
                    left -= len(chunk)
                    yield chunk
            at = until

    def place(self, connection: sqlite3.Connection, user: int, sha256: str, terms: Sequence[Term]) -> None:
        """Remember where a built file has its chunks."""
        offset = 0
        for term in terms:
            lengths = self.lengths(user, term.hash)
            if lengths is not None and sum(lengths[term.first : term.last]) == term.size:
                values = (user, term.hash, term.first, term.last, sha256, offset)
                connection.execute("INSERT OR IGNORE INTO placements VALUES (?,?,?,?,?,?)", values)
            offset += term.size

    def drop_placed(self, user: int, hashes: set[str]) -> None:
        """Remove the files of xorbs whose chunks all lie in blobs now."""
        for hash_ in hashes:
            query = "SELECT first, last FROM placements WHERE user=? AND hash=? ORDER BY first"
            until, lengths = 0, self.lengths(user, hash_)
            for first, last in self._database.rows(query, user, hash_):
                if first <= until:
                    until = max(until, last)
            if lengths is None or until < len(lengths):
                continue
            with self._database.transaction() as connection:
                row = connection.execute("SELECT file FROM xorbs WHERE user=? AND hash=?", (user, hash_)).fetchone()
                connection.execute("UPDATE xorbs SET file=NULL WHERE user=? AND hash=?", (user, hash_))
            if row and row[0]:
                (self.folder / row[0]).unlink(missing_ok=True)
