"""Bring a store's tables from the two layouts before to this one."""

import re
import sqlite3

from zoo.hub.server.schema import ADDED, STATEMENTS, VERSION

_COLUMNS = "id, type, name, author, private, gated, created, modified, downloads, head, summary"
_SKIPPED = 1_000_000


OLDEST = VERSION - 2


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables up to date in a transaction with foreign keys off."""
    if version == OLDEST:
        _rebuild_repos(connection)
        _forget_uploads(connection)
    for statement in STATEMENTS:
        if re.match(rf"CREATE (TABLE|INDEX \w+ ON) ({'|'.join(ADDED)}) ", statement):
            connection.execute(statement)


def _rebuild_repos(connection: sqlite3.Connection) -> None:
    """Make `repos` anew.

    Layout 2 gave the id of the last repo to the next one when it was deleted, and did not count `epoch`.
    """
    tables = [text for text in STATEMENTS if text.startswith("CREATE TABLE repos ")]
    indexes = [text for text in STATEMENTS if text.startswith("CREATE INDEX repos_")]
    for text in tables:  # under another name: to rename the old table would rename what refers to it
        connection.execute(text.replace("repos", "new_repos", 1))
    connection.execute(f"INSERT INTO new_repos ({_COLUMNS}) SELECT {_COLUMNS} FROM repos")
    connection.execute("DROP TABLE repos")
    connection.execute("ALTER TABLE new_repos RENAME TO repos")
    for text in indexes:
        connection.execute(text)
    skip_ids(connection)


def _forget_uploads(connection: sqlite3.Connection) -> None:
    """Forget the chunks that clients have sent: layout 2 took their word for where they lie, and kept xorbs packed."""
    connection.execute("DELETE FROM placements")
    connection.execute("DELETE FROM xorbs")  # gc removes their files
    connection.execute("DELETE FROM settings WHERE key='store_id'")  # so that clients forget them, too


def skip_ids(connection: sqlite3.Connection) -> None:
    """Let no repo have an id that a repo may have had of which nothing is left: what was signed for it may be valid."""
    sources = ("repos", "id"), ("names", "rowid"), ("commits", "repo"), ("uploads", "repo")
    last = [connection.execute(f"SELECT MAX({column}) FROM {table}").fetchone()[0] or 0 for table, column in sources]
    last += [row[0] for row in connection.execute("SELECT seq FROM sqlite_sequence WHERE name='repos'")]
    connection.execute("DELETE FROM sqlite_sequence WHERE name='repos'")
    connection.execute("INSERT INTO sqlite_sequence VALUES ('repos', ?)", (max(last) + _SKIPPED,))
