"""Names that repos had before they were moved, so that who asks for one is sent on.

They lie among the settings: a table of their own would be another layout of the store.
"""

import sqlite3

from zoo.hub.server.database import Database


def remember(connection: sqlite3.Connection, type_: str, name: str, repo: int) -> None:
    """Let a name that a repo has just lost lead to the repo."""
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?,?)", (_key(type_, name), str(repo)))


def forget(connection: sqlite3.Connection, type_: str, name: str) -> None:
    """Let a name that a repo is about to have lead nowhere else."""
    connection.execute("DELETE FROM settings WHERE key=?", (_key(type_, name),))


def forget_all(connection: sqlite3.Connection, repo: int) -> None:
    """Forget every former name of a repo that is deleted."""
    connection.execute("DELETE FROM settings WHERE key GLOB 'moved */*/*' AND value=?", (str(repo),))


def find(database: Database, type_: str, name: str) -> int | None:
    """Return the id of the repo that had a name, in whatever case it is written."""
    row = database.row("SELECT value FROM settings WHERE key=?", _key(type_, name))
    return int(row[0]) if row else None


def _key(type_: str, name: str) -> str:
    return f"moved {type_}/{name.lower()}"
