"""Who changed what, from where: one line a change, in the transaction that makes it, and never changed afterwards.

Each line holds a hash of itself and of the line before, so that one that was altered or taken out is found.
"""

import contextvars
import csv
import getpass
import hashlib
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from zoo.hub.server.database import Database
from zoo.hub.server.dates import timestamp

_BATCH = 1000
_LONGEST = 300
_START = "0" * 64


@dataclass(frozen=True)
class Actor:
    """Who a change is made for: a user of the Hub with a token's label and an address, or a command at the shell."""

    user: str
    token: str = ""
    client: str = ""


@dataclass(frozen=True)
class Line:
    """One change: of what kind, to what."""

    id: int
    time: str
    user: str
    token: str
    client: str
    action: str
    subject: str
    detail: str
    chain: str


def _at_the_shell() -> Actor:
    try:
        return Actor(f"shell:{getpass.getuser()}")
    except (KeyError, OSError):  # a user without a name
        return Actor("shell")


actor: contextvars.ContextVar[Callable[[], Actor]] = contextvars.ContextVar("actor", default=_at_the_shell)
"""A function that says who the changes of this task or thread are made for."""


def note(connection: sqlite3.Connection, action: str, subject: str, detail: str = "") -> None:
    """Add a line, in the transaction of the change."""
    who = actor.get()()
    values = (timestamp(), who.user, who.token, who.client, action, subject[:_LONGEST], detail[:_LONGEST])
    row = connection.execute("SELECT chain FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    columns = "time, user, token, client, action, subject, detail, chain"
    chain = _chain(row[0] if row else _START, values)
    connection.execute(f"INSERT INTO audit ({columns}) VALUES (?,?,?,?,?,?,?,?)", (*values, chain))


def _chain(before: str, values: tuple[str, ...]) -> str:
    return hashlib.sha256(json.dumps([before, *values]).encode()).hexdigest()


def lines(database: Database, since: str = "", user: str = "", subject: str = "") -> Iterator[Line]:
    """Yield the lines, oldest first: from a time on, of a user, about a repo or whatever was changed."""
    last = 0
    query = """SELECT id, time, user, token, client, action, subject, detail, chain FROM audit
               WHERE id>? AND time>=? AND (?='' OR user=?) AND (?='' OR subject=?) ORDER BY id LIMIT ?"""
    while rows := database.rows(query, last, since, user, user, subject, subject, _BATCH):
        yield from (Line(*row) for row in rows)
        last = rows[-1][0]


def faults(connection: sqlite3.Connection) -> list[str]:
    """Return what shows that lines were changed or removed."""
    before, last = _START, 0
    columns = "id, chain, time, user, token, client, action, subject, detail"
    for id_, chain, *values in connection.execute(f"SELECT {columns} FROM audit ORDER BY id"):
        if id_ != last + 1 or chain != _chain(before, tuple(values)):
            return [f"audit log: line {id_:,} does not follow the one before; it was changed, or one is missing"]
        before, last = chain, id_
    row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name='audit'").fetchone()
    return [f"audit log: lines after {last:,} are missing"] if row and row[0] != last else []


def exported(found: Iterator[Line], form: Literal["jsonl", "csv"]) -> Iterator[str]:
    """Yield lines as text, without an end: JSON, or CSV with a head."""
    for number, line in enumerate(found):
        values = asdict(line)
        if form == "jsonl":
            yield json.dumps(values)
            continue
        if number == 0:
            yield ",".join(values)
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(map(_harmless, values.values()))
        yield written.getvalue()


def _harmless(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
