"""Commits: changes that become visible together, in one transaction, or not at all."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from zoo.hub.server.blobs import BlobStore, NewBlob
from zoo.hub.server.database import Database
from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import Repo, Repos, timestamp
from zoo.hub.server.summary import Summary, decode_summary, summarise
from zoo.hub.server.trees import Entry, Trees, git_id

_REMEMBERED_REQUESTS = 100


@dataclass(frozen=True)
class Commit:
    """One commit's row."""

    oid: str
    parent: str | None
    tree: str
    author: str
    title: str
    message: str
    date: str


@dataclass(frozen=True)
class Change:
    """One change to a tree, in the order in which they were asked for."""

    kind: Literal["put", "delete file", "delete folder"]
    path: str
    entry: Entry | None = None


@dataclass(frozen=True)
class Request:
    """What a commit is to be. `digest` tells a request that is sent again from another one alike."""

    changes: Sequence[Change]
    author: str
    title: str
    message: str
    parent: str | None
    digest: str
    blobs: Sequence[NewBlob] = ()


def commit_id(tree: str, parent: str | None, author: str, title: str, message: str, date: str) -> str:
    """Return git's id for what a commit says."""
    lines = [
        f"tree {tree}",
        *([f"parent {parent}"] if parent else []),
        f"author {author} {date}",
        "",
        title,
        "",
        message,
    ]
    return git_id("commit", "\n".join(lines).encode())


class Commits:
    """The commits of all repos."""

    def __init__(self, database: Database, repos: Repos, trees: Trees, blobs: BlobStore) -> None:
        self._database = database
        self._repos = repos
        self._trees = trees
        self._blobs = blobs

    def create_repo(self, type_: str, name: str, private: bool, author: str) -> bool:
        """Make a repo with an empty first commit; False when there is one of that name."""
        with self._database.transaction() as connection:
            tree = self._trees.write(connection, None, {})
            title, date = "initial commit", timestamp()
            head = commit_id(tree, None, author, title, "", date)
            repo = self._repos.insert(connection, type_, name, private, head)
            if repo is None:
                return False
            self._insert(connection, repo, Commit(head, None, tree, author, title, "", date), "")
            connection.execute("INSERT INTO refs VALUES (?,?,?)", (repo, "refs/heads/main", head))
        return True

    def add(self, repo: Repo, branch: str, request: Request) -> str:
        """Put changes on a branch and return its head. Sent again, a commit that is there is answered as it was.

        Raise HttpError 404 without such a branch or file, 412 when the branch is not at the parent asked for, 422 when
        a file and a folder would share a name.
        """
        ref = f"refs/heads/{branch}"
        with self._database.transaction() as connection:
            row = connection.execute("SELECT oid FROM refs WHERE repo=? AND name=?", (repo.id, ref)).fetchone()
            if row is None:
                raise HttpError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            head = str(row[0])
            if known := self._known(connection, repo, head, request.digest):
                return known
            before = self._tree(connection, repo.id, head)
            self._blobs.keep(connection, repo.id, request.blobs)
            self._check_blobs(connection, repo.id, request.changes)
            tree = self._trees.write(connection, before, self._changes(connection, before, request.changes))
            if tree == before:
                return head
            if request.parent and not (len(request.parent) >= 7 and head.startswith(request.parent)):
                raise HttpError(412, "The branch was updated since the parent commit; fetch it and try again")
            date = timestamp()
            oid = commit_id(tree, head, request.author, request.title, request.message, date)
            commit = Commit(oid, head, tree, request.author, request.title, request.message, date)
            self._insert(connection, repo.id, commit, request.digest)
            connection.execute("UPDATE refs SET oid=? WHERE repo=? AND name=?", (oid, repo.id, ref))
            if branch == "main":
                self._repos.summarised(connection, repo, oid, date, self._summary(connection, repo.id, before, tree))
        return oid

    def _insert(self, connection: sqlite3.Connection, repo: int, commit: Commit, digest: str) -> None:
        values = (
            repo,
            commit.oid,
            commit.parent,
            commit.tree,
            commit.author,
            commit.title,
            commit.message,
            commit.date,
        )
        connection.execute("INSERT INTO commits VALUES (?,?,?,?,?,?,?,?,?)", (*values, digest))

    def _known(self, connection: sqlite3.Connection, repo: Repo, head: str, digest: str) -> str | None:
        """Return the commit that this very request has made lately on the branch."""
        query = "SELECT 1 FROM commits WHERE repo=? AND request=?"
        if not connection.execute(query, (repo.id, digest)).fetchone():
            return None
        oid: str | None = head
        for _ in range(_REMEMBERED_REQUESTS):
            query = "SELECT parent, request FROM commits WHERE repo=? AND oid=?"
            parent, request = connection.execute(query, (repo.id, oid)).fetchone()
            if request == digest:
                return oid
            if (oid := parent) is None:
                break
        return None

    def _tree(self, connection: sqlite3.Connection, repo: int, oid: str) -> str:
        row = connection.execute("SELECT tree FROM commits WHERE repo=? AND oid=?", (repo, oid)).fetchone()
        return str(row[0])

    def _check_blobs(self, connection: sqlite3.Connection, repo: int, changes: Iterable[Change]) -> None:
        """Make sure that what is named is still there: a collector may have run since it was uploaded."""
        query = "SELECT 1 FROM uploads WHERE repo=? AND sha256=?"
        for change in changes:
            if change.entry and not connection.execute(query, (repo, change.entry.sha256)).fetchone():
                raise HttpError(422, f"{change.path} names an object that was not uploaded to this repo")

    def _changes(self, connection: sqlite3.Connection, tree: str, changes: Sequence[Change]) -> dict[str, Entry | None]:
        """Return what every changed path is in the end."""
        after: dict[str, Entry | None] = {}
        for change in changes:
            path = change.path
            if change.kind == "put":
                after[path] = change.entry
            elif change.kind == "delete file":
                there = self._trees.find(tree, path, connection)
                if after[path] is None if path in after else there is None or there.folder:
                    raise HttpError(404, "A file with this name doesn't exist", "EntryNotFound")
                after[path] = None
            else:
                folder = self._trees.find(tree, path, connection) if path else None
                if folder is not None and folder.folder:
                    after |= dict.fromkeys((name for name, _ in self._files(connection, folder.oid, f"{path}/")))
                after |= dict.fromkeys(name for name in list(after) if name.startswith(f"{path}/"))
        return after

    def _files(self, connection: sqlite3.Connection, tree: str, prefix: str = "") -> Iterable[tuple[str, Entry]]:
        for entry in self._trees.entries(tree, connection).values():
            if entry.folder:
                yield from self._files(connection, entry.oid, f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name, entry

    def _summary(self, connection: sqlite3.Connection, repo: int, before: str, tree: str) -> Summary:
        files = dict(self._files(connection, tree))
        try:
            return summarise(self._blobs, files)
        except OSError:  # a blob of an earlier commit is gone from the disk; fsck tells
            row = connection.execute("SELECT summary FROM repos WHERE id=?", (repo,)).fetchone()
            return decode_summary(row[0])

    def find(self, repo: Repo, oid: str) -> Commit:
        """Return a commit that is known to exist."""
        return self.history(repo, oid, 1)[0]

    def history(self, repo: Repo, oid: str, limit: int, skip: int = 0, *, messages: bool = True) -> list[Commit]:
        """Return a commit and its ancestors, newest first."""
        message = "message" if messages else "''"
        query = f"""WITH RECURSIVE line(oid, depth) AS (SELECT ?, 0 UNION ALL
                   SELECT parent, depth + 1 FROM commits JOIN line USING (oid)
                   WHERE repo=? AND parent IS NOT NULL AND depth + 1 < ?)
                   SELECT oid, parent, tree, author, title, {message}, date FROM line JOIN commits USING (oid)
                   WHERE repo=? ORDER BY depth LIMIT ? OFFSET ?"""
        rows = self._database.rows(query, oid, repo.id, limit + skip, repo.id, limit, skip)
        return [Commit(*row) for row in rows]

    def tree(self, repo: Repo, oid: str) -> str:
        """Return the tree of a commit that is known to exist."""
        row = self._database.row("SELECT tree FROM commits WHERE repo=? AND oid=?", repo.id, oid)
        assert row is not None, "the commit was resolved"
        return str(row[0])

    def last_changes(self, repo: Repo, oid: str, paths: Iterable[str], limit: int = 1000) -> dict[str, Commit]:
        """Return the commit that changed each path last, as far back as the limit goes."""
        left: dict[str, set[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            left.setdefault(folder, set()).add(name)
        found: dict[str, Commit] = {}
        history = self.history(repo, oid, limit, messages=False)
        trees = {folder: self._folder(history[0].tree, folder) for folder in left}
        for newer, older in zip(history, [*history[1:], None], strict=True):
            for folder in list(left):
                before = self._folder(older.tree, folder) if older else None
                if before == trees[folder] and older:
                    continue  # one look a folder, not one a path
                then, now = (self._trees.entries(tree) if tree else {} for tree in (before, trees[folder]))
                changed = {name for name in left[folder] if older is None or then.get(name) != now.get(name)}
                found |= {f"{folder}/{name}" if folder else name: newer for name in changed}
                trees[folder] = before
                left[folder] -= changed
                if not left[folder]:
                    del left[folder]
            if not left:
                break
        return found

    def _folder(self, root: str, path: str) -> str | None:
        """Return the tree of a folder; None where there is none."""
        entry = self._trees.find(root, path) if path else None
        return root if not path else entry.oid if entry and entry.folder else None
