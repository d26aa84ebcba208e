"""Bring a store's tables from the layout before to this one."""

import sqlite3

from zoo.hub.server.schema import STATEMENTS

_COLUMNS = "id, type, name, author, private, gated, created, modified, downloads, head, summary"
_SKIPPED = 1_000_000


def rebuild_repos(connection: sqlite3.Connection) -> None:
    """Make `repos` anew in a transaction with foreign keys off.

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


def forget_uploads(connection: sqlite3.Connection) -> None:
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
