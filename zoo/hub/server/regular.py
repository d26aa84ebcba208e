"""Regular files of a copy: until their bytes are here they are named by git's id, in the place of a sha256.

No file has such a sha256: to find one that begins with 96 zero bits is beyond anybody.
"""

import sqlite3

from zoo.hub.server.database import Database

_MARK = "0" * 24


def unfetched(oid: str) -> str:
    """Return what stands for the sha256 of a file of which git's id alone is known."""
    return _MARK + oid


def is_unfetched(sha256: str) -> bool:
    """Tell whether a name stands for a sha256 that was not known."""
    return sha256.startswith(_MARK)


def git_id(sha256: str) -> str | None:
    """Return the id in git that a name has in place of a sha256; None for a sha256."""
    return sha256.removeprefix(_MARK) if is_unfetched(sha256) else None


def known(database: Database, sha256: str) -> str:
    """Return the sha256 that a name stands for, if its bytes have come since; else the name itself."""
    oid = git_id(sha256)
    row = database.row("SELECT sha256 FROM regular WHERE oid=?", oid) if oid else None
    return str(row[0]) if row else sha256


def note(connection: sqlite3.Connection, oid: str, sha256: str) -> None:
    """Remember the sha256 of a file that git knows by an id, and whose bytes were hashed in both ways."""
    connection.execute("INSERT OR REPLACE INTO regular VALUES (?,?)", (oid, sha256))
