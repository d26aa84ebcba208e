"""What Xet clients upload before a file exists: xorbs, bags of chunks, and where their chunks lie once files are built.

A client remembers which chunks it has sent and never sends them again. A xorb's own file is dropped as soon as every
chunk of it lies in some blob; that place is remembered instead. All of it is kept by user: a hash is no right to bytes.
A xorb is unpacked once, when it comes, and kept plain: a run of its chunks is then a run of bytes.
"""

import os
import sqlite3
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from zoo.hub.server.database import Database
from zoo.hub.server.http import HttpError
from zoo.hub.server.xet import Term


class Placement(NamedTuple):
    """Chunks of a xorb, first to last exclusive, and the offset in a blob from which they lie in a row."""

    first: int
    last: int
    sha256: str
    offset: int


class Piece(NamedTuple):
    """Bytes in a row: of a xorb's own file, or, where `placed`, of the blob of that name."""

    name: str
    placed: bool
    offset: int
    size: int


class Chunks:
    """Where the chunks of a xorb lie: in its file, or else in blobs."""

    def __init__(self, hash_: str, file: str | None, lengths: Iterable[int], places: list[Placement]) -> None:
        self._hash = hash_
        self._file = file
        self._starts = list(accumulate(lengths, initial=0))
        self._places = places
        self._firsts = [place.first for place in places]

    def pieces(self, term: Term) -> list[Piece]:
        """Return what a run of chunks is put together from. Raise HttpError 400 when it is not there as described."""
        if not term.first < term.last < len(self._starts):
            raise HttpError(400, f"xorb {term.hash} was not uploaded, or has fewer chunks")
        if self._starts[term.last] - self._starts[term.first] != term.size:
            raise HttpError(400, "The shard gives a run of chunks another length than they have")
        if self._file is not None:
            return [Piece(self._file, False, self._starts[term.first], term.size)]
        pieces = []
        at = term.first
        while at < term.last:
            number = bisect_right(self._firsts, at) - 1  # of those that begin in time, it reaches farthest
            if number < 0 or self._places[number].last <= at:
                raise HttpError(400, f"chunk {at} of xorb {self._hash} is gone; upload it again")
            place = self._places[number]
            until = min(place.last, term.last)
            offset = place.offset + self._starts[at] - self._starts[place.first]
            pieces.append(Piece(place.sha256, True, offset, self._starts[until] - self._starts[at]))
            at = until
        return pieces


class Xorbs:
    """The xorbs of all users."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder / "xorbs"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._database = database

    def add(self, user: int, hash_: str, plain: Path, lengths: "array[int]", check: Callable[[], object]) -> bool:
        """Keep a xorb that is unpacked in a temporary file; tell whether it was needed.

        `check` raises where the user may no longer leave anything here.
        """
        with self._database.transaction() as connection:
            check()
            row = connection.execute(
                "SELECT file, lengths FROM xorbs WHERE user=? AND hash=?", (user, hash_)
            ).fetchone()
            if row is not None and row[0] is None and _cover(self._places(user, hash_), len(_lengths(row[1]))):
                return False
            os.replace(plain, self.folder / plain.name)
            connection.execute("DELETE FROM placements WHERE user=? AND hash=?", (user, hash_))
            connection.execute(
                "INSERT INTO xorbs VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET"
                " file=excluded.file, lengths=excluded.lengths, time=excluded.time",
                (user, hash_, plain.name, lengths.tobytes(), time.time()),
            )
        if row is not None and row[0] is not None:
            (self.folder / row[0]).unlink(missing_ok=True)
        return row is None

    def chunks(self, user: int, hash_: str) -> Chunks:
        """Say where a xorb's chunks lie. Raise HttpError 400 when the user never sent it."""
        row = self._database.row("SELECT file, lengths FROM xorbs WHERE user=? AND hash=?", user, hash_)
        if row is None:
            raise HttpError(400, f"xorb {hash_} was not uploaded, or has fewer chunks")
        return Chunks(hash_, row[0], _lengths(row[1]), [] if row[0] else self._places(user, hash_))

    def settle(self, user: int, hash_: str, file: str, places: Iterable[Placement]) -> None:
        """Remember where blobs have what was read from a xorb's file; drop the file once they have all of it."""
        with self._database.transaction() as connection:
            query = "SELECT lengths FROM xorbs WHERE user=? AND hash=? AND file=?"
            row = connection.execute(query, (user, hash_, file)).fetchone()
            if row is None:  # it was sent again meanwhile, or is settled
                return
            here = {sha256 for (_, _, sha256, _) in places if self._listed(connection, sha256)}
            found = [place for place in places if place.sha256 in here]
            kept = _needed([*self._places(user, hash_), *found])
            connection.execute("DELETE FROM placements WHERE user=? AND hash=?", (user, hash_))
            rows = [(user, hash_, *place) for place in kept]
            connection.executemany("INSERT INTO placements VALUES (?,?,?,?,?,?)", rows)
            whole = _cover(kept, len(_lengths(row[0])))
            if whole:
                connection.execute("UPDATE xorbs SET file=NULL WHERE user=? AND hash=?", (user, hash_))
        if whole:
            (self.folder / file).unlink(missing_ok=True)

    def _places(self, user: int, hash_: str) -> list[Placement]:
        query = "SELECT first, last, sha256, offset FROM placements WHERE user=? AND hash=? ORDER BY first"
        return [Placement(*row) for row in self._database.rows(query, user, hash_)]

    @staticmethod
    def _listed(connection: sqlite3.Connection, sha256: str) -> bool:
        return connection.execute("SELECT 1 FROM blobs WHERE sha256=?", (sha256,)).fetchone() is not None


def _lengths(stored: bytes) -> "array[int]":
    lengths = array("I")
    lengths.frombytes(stored)
    return lengths


def _needed(places: Iterable[Placement]) -> list[Placement]:
    """Leave out places that lie within others. What is left is in order by both ends, and no more than the chunks."""
    kept: list[Placement] = []
    for place in sorted(places, key=lambda place: (place.first, -place.last)):
        if not kept or place.last > kept[-1].last:
            kept.append(place)
    return kept


def _cover(places: list[Placement], count: int) -> bool:
    """Tell whether every chunk has a place."""
    until = 0
    for place in places:
        if place.first > until:
            return False
        until = place.last
    return until == count
