"""Repos and their refs."""

import sqlite3
from dataclasses import dataclass

from zoo.hub.server import audit, former_names
from zoo.hub.server.database import Database
from zoo.hub.server.dates import timestamp as timestamp
from zoo.hub.server.http import HttpError
from zoo.hub.server.summary import Summary, decode_summary, encode_summary

COLUMNS = """repos.id, type, name, private, gated, created, modified, downloads, head, summary, repos.epoch,
             COALESCE((SELECT url FROM upstreams WHERE upstreams.repo=repos.id), '')"""


@dataclass(frozen=True)
class Repo:
    """One repo. `head` is the commit that main points to; `gated` is "", "auto" or "manual".

    `epoch` counts the changes of name and of who may see it. `upstream` is the Hub that it is a copy of, or "".
    """

    id: int
    type: str
    name: str
    private: bool
    gated: str
    created: str
    modified: str
    downloads: int
    head: str
    encoded_summary: bytes
    epoch: int
    upstream: str

    @property
    def namespace(self) -> str:
        """Return the first half of the name."""
        return self.name.partition("/")[0]

    def check_own(self) -> None:
        """Raise HttpError 403 for a copy of an upstream repo."""
        if self.upstream:
            raise HttpError(
                403, f"{self.name} is a copy of that on {self.upstream}: it is read here, and written there"
            )

    @property
    def web_id(self) -> str:
        """Return the name with the prefix that pages and files have."""
        return self.name if self.type == "models" else f"{self.type}/{self.name}"

    @property
    def summary(self) -> Summary:
        """Return what lists say of the repo."""
        return decode_summary(self.encoded_summary)


def repo_of(row: tuple[object, ...]) -> Repo:
    """Return the repo that a row of COLUMNS is."""
    id_, type_, name, private, *rest = row
    return Repo(id_, type_, name, bool(private), *rest)  # type: ignore[arg-type]


class Repos:
    """The repos of a Hub."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, type_: str, name: str) -> Repo | None:
        """Return a repo by name, in whatever case it is written."""
        row = self._database.row(f"SELECT {COLUMNS} FROM repos WHERE type=? AND name=?", type_, name)
        return repo_of(row) if row else None

    def in_transaction(self, connection: sqlite3.Connection, type_: str, name: str) -> Repo:
        """Return a repo that is there, as a transaction sees it."""
        row = connection.execute(f"SELECT {COLUMNS} FROM repos WHERE type=? AND name=?", (type_, name)).fetchone()
        return repo_of(row)

    def moved(self, type_: str, name: str) -> Repo | None:
        """Return the repo that had a name before it was moved."""
        id_ = former_names.find(self._database, type_, name)
        row = self._database.row(f"SELECT {COLUMNS} FROM repos WHERE id=?", id_) if id_ else None
        return repo_of(row) if row else None

    def at(self, id_: int, epoch: int) -> Repo | None:
        """Return a repo that is still what it was at an epoch."""
        row = self._database.row(f"SELECT {COLUMNS} FROM repos WHERE id=? AND epoch=?", id_, epoch)
        return repo_of(row) if row else None

    def insert(self, connection: sqlite3.Connection, type_: str, name: str, private: bool, head: str) -> int | None:
        """Make a repo's row; None when there is one of that name."""
        if connection.execute("SELECT 1 FROM repos WHERE type=? AND name=?", (type_, name)).fetchone():
            return None
        now = timestamp()
        values = (type_, name, name.partition("/")[0], private, now, now, head, encode_summary(Summary()))
        columns = "type, name, author, private, created, modified, head, summary"
        cursor = connection.execute(f"INSERT INTO repos ({columns}) VALUES (?,?,?,?,?,?,?,?)", values)
        connection.execute("INSERT INTO names (rowid, name) VALUES (?,?)", (cursor.lastrowid, name))
        former_names.forget(connection, type_, name)
        return cursor.lastrowid

    def delete(self, repo: Repo) -> None:
        """Forget a repo; its blobs stay until they are collected."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM repos WHERE id=?", (repo.id,))
            connection.execute("DELETE FROM names WHERE rowid=?", (repo.id,))
            former_names.forget_all(connection, repo.id)
            audit.note(connection, "repo.delete", repo.web_id)

    def move(self, repo: Repo, name: str) -> bool:
        """Give a repo another name, to which the old one leads from now on; False when it is taken."""
        repo.check_own()
        with self._database.transaction() as connection:
            query = "SELECT 1 FROM repos WHERE type=? AND name=? AND id<>?"
            if connection.execute(query, (repo.type, name, repo.id)).fetchone():
                return False
            namespace = name.partition("/")[0]
            connection.execute(
                "UPDATE repos SET name=?, author=?, epoch=epoch+1 WHERE id=?", (name, namespace, repo.id)
            )
            connection.execute("UPDATE names SET name=? WHERE rowid=?", (name, repo.id))
            former_names.remember(connection, repo.type, repo.name, repo.id)
            former_names.forget(connection, repo.type, name)  # its own, too: moved back, or in another case
            audit.note(connection, "repo.move", repo.web_id, f"to {name}")
        return True

    def configure(self, repo: Repo, private: bool, gated: str) -> None:
        """Set who may see a repo and who may have its files."""
        repo.check_own()
        with self._database.transaction() as connection:
            change = "UPDATE repos SET private=?1, gated=?2, epoch=epoch+(private<>?1 OR gated<>?2) WHERE id=?3"
            connection.execute(change, (private, gated, repo.id))
            seen = "private" if private else "public"
            audit.note(connection, "repo.settings", repo.web_id, f"{seen}, gated {gated}" if gated else seen)

    def summarised(self, connection: sqlite3.Connection, repo: Repo, head: str, date: str, summary: Summary) -> None:
        """Note where main points to now, and what is to be said of it."""
        values = (head, date, encode_summary(summary), repo.id)
        connection.execute("UPDATE repos SET head=?, modified=?, summary=? WHERE id=?", values)
        connection.execute("DELETE FROM tags WHERE repo=?", (repo.id,))
        connection.executemany("INSERT INTO tags VALUES (?,?)", [(tag.lower(), repo.id) for tag in summary.tags])

    def count_downloads(self, counts: dict[int, int]) -> None:
        """Add downloads, by repo."""
        with self._database.transaction() as connection:
            change = "UPDATE repos SET downloads=downloads+? WHERE id=?"
            connection.executemany(change, [(count, repo) for repo, count in counts.items()])

    def refs(self, repo: Repo) -> dict[str, str]:
        """Return the commit of every ref, by its full name."""
        return dict(self._database.rows("SELECT name, oid FROM refs WHERE repo=? ORDER BY name", repo.id))

    def resolve(self, repo: Repo, revision: str) -> str | None:
        """Return the commit that a branch, a tag, a full ref or a commit id names."""
        if revision in ("main", "refs/heads/main"):
            return repo.head
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if row := self._database.row("SELECT oid FROM refs WHERE repo=? AND name=?", repo.id, name):
                return str(row[0])
        row = self._database.row("SELECT oid FROM commits WHERE repo=? AND oid=?", repo.id, revision)
        return str(row[0]) if row else None

    def set_ref(self, repo: Repo, name: str, oid: str) -> bool:
        """Make a ref; False when there is one."""
        repo.check_own()
        with self._database.transaction() as connection:
            made = connection.execute("INSERT OR IGNORE INTO refs VALUES (?,?,?)", (repo.id, name, oid)).rowcount == 1
            if made:
                audit.note(connection, "ref.make", repo.web_id, f"{name} at {oid}")
        return made

    def delete_ref(self, repo: Repo, name: str) -> bool:
        """Remove a ref; False when there is none."""
        repo.check_own()
        with self._database.transaction() as connection:
            gone = connection.execute("DELETE FROM refs WHERE repo=? AND name=?", (repo.id, name)).rowcount == 1
            if gone:
                audit.note(connection, "ref.delete", repo.web_id, name)
        return gone
