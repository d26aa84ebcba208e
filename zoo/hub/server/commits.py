"""Commits: changes that become visible together, in one transaction, or not at all."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from zoo.hub.server import audit, work
from zoo.hub.server.blobs import BlobStore, NewBlob
from zoo.hub.server.changes import Change, NewTree, change_tree
from zoo.hub.server.database import Database
from zoo.hub.server.dates import timestamp
from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import Repo, Repos
from zoo.hub.server.summary import Summary, summarise
from zoo.hub.server.trees import Trees, git_id

_REMEMBERED_REQUESTS = 100
_MAX_COMPARED = 100_000


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
class Request:
    """What a commit is to be. `digest` tells a request that is sent again from another one alike."""

    changes: Sequence[Change]
    author: str
    title: str
    message: str
    parent: str | None
    digest: str
    blobs: Sequence[NewBlob] = ()


@dataclass(frozen=True)
class _Planned:
    """A commit that is not kept yet, with its new folders, encoded, and what lists are to say of it."""

    commit: Commit
    folders: Mapping[str, bytes]
    summary: Summary | None


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
            empty = NewTree()
            tree = empty.add([])
            self._trees.insert(connection, empty.folders)
            title, date = "initial commit", timestamp()
            head = commit_id(tree, None, author, title, "", date)
            repo = self._repos.insert(connection, type_, name, private, head)
            if repo is None:
                return False
            self._insert(connection, repo, Commit(head, None, tree, author, title, "", date), "")
            connection.execute("INSERT INTO refs VALUES (?,?,?)", (repo, "refs/heads/main", head))
            web_id = name if type_ == "models" else f"{type_}/{name}"
            audit.note(connection, "repo.create", web_id, "private" if private else "public")
        return True

    def add(self, repo: Repo, branch: str, request: Request) -> str:
        """Put changes on a branch and return its head. Sent again, a commit that is there is answered as it was.

        Raise HttpError 404 without such a branch or file, 412 when the branch is not at the parent asked for, 422 when
        a file and a folder would share a name.
        """
        repo.check_own()
        ref = f"refs/heads/{branch}"
        while True:  # all that takes long is done before the transaction, and again when the branch has moved meanwhile
            work.check()
            head = self._head(repo, ref)
            if head is None:
                raise HttpError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
            known = self._known(repo, head, request.digest)
            planned = None if known else self._planned(repo, branch, head, request)
            self._blobs.place(request.blobs)  # those of a known commit, too: fsck may have put them aside since
            with self._database.transaction() as connection:
                row = connection.execute("SELECT oid FROM refs WHERE repo=? AND name=?", (repo.id, ref)).fetchone()
                if row != (head,):
                    continue
                self._blobs.keep(connection, repo.id, request.blobs)
                self._check_blobs(connection, repo.id, request.changes)
                if planned is None:
                    return known or head
                commit = planned.commit
                self._trees.insert(connection, planned.folders)
                self._insert(connection, repo.id, commit, request.digest)
                connection.execute("UPDATE refs SET oid=? WHERE repo=? AND name=?", (commit.oid, repo.id, ref))
                if planned.summary is not None:
                    self._repos.summarised(connection, repo, commit.oid, commit.date, planned.summary)
                audit.note(connection, "commit", repo.web_id, f"{branch} {commit.oid}")
            return commit.oid

    def _planned(self, repo: Repo, branch: str, head: str, request: Request) -> _Planned | None:
        """Return the commit that is to follow a head; None where nothing changes."""
        before = self.tree(repo, head)
        tree = change_tree(self._trees, before, request.changes)
        if tree.root == before:
            return None
        if request.parent and not (len(request.parent) >= 7 and head.startswith(request.parent)):
            raise HttpError(412, "The branch was updated since the parent commit; fetch it and try again")
        date = timestamp()
        oid = commit_id(tree.root, head, request.author, request.title, request.message, date)
        commit = Commit(oid, head, tree.root, request.author, request.title, request.message, date)
        return _Planned(commit, tree.folders, self._summary(repo, request, tree) if branch == "main" else None)

    def squash(self, repo: Repo, branch: str, author: str, title: str, message: str) -> str:
        """Put one commit without a parent in the place of a branch's history, and return it.

        What no ref reaches any more is forgotten. Raise HttpError 404 without such a branch, 400 for a tag.
        """
        repo.check_own()
        ref = f"refs/heads/{branch}"
        if self._head(repo, ref) is None and self._head(repo, f"refs/tags/{branch}"):
            raise HttpError(400, f"{branch[:100]} is a tag; only a branch's history can be squashed")
        with self._database.transaction() as connection:
            query = "SELECT tree, oid FROM commits JOIN refs USING (repo, oid) WHERE repo=? AND name=?"
            row = connection.execute(query, (repo.id, ref)).fetchone()
            if row is None:
                raise HttpError(404, f"Invalid rev id: {branch[:100]}", "RevisionNotFound")
            date = timestamp()
            oid = commit_id(row[0], None, author, title, message, date)
            self._insert(connection, repo.id, Commit(oid, None, row[0], author, title, message, date), "")
            connection.execute("UPDATE refs SET oid=? WHERE repo=? AND name=?", (oid, repo.id, ref))
            if branch == "main":
                connection.execute("UPDATE repos SET head=?, modified=? WHERE id=?", (oid, date, repo.id))
            self._forget_unreachable(connection, repo)
            audit.note(connection, "squash", repo.web_id, f"{branch} {oid}")
        return oid

    @staticmethod
    def _forget_unreachable(connection: sqlite3.Connection, repo: Repo) -> None:
        query = """WITH RECURSIVE reached(oid) AS (SELECT oid FROM refs WHERE repo=?1 UNION
                   SELECT parent FROM commits JOIN reached USING (oid) WHERE repo=?1 AND parent IS NOT NULL)
                   DELETE FROM commits WHERE repo=?1 AND oid NOT IN (SELECT oid FROM reached)"""
        connection.execute(query, (repo.id,))

    def _head(self, repo: Repo, ref: str) -> str | None:
        row = self._database.row("SELECT oid FROM refs WHERE repo=? AND name=?", repo.id, ref)
        return str(row[0]) if row else None

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

    def _known(self, repo: Repo, head: str, digest: str) -> str | None:
        """Return the commit that this very request has made lately on the branch."""
        if not self._database.row("SELECT 1 FROM commits WHERE repo=? AND request=?", repo.id, digest):
            return None
        oid: str | None = head
        for _ in range(_REMEMBERED_REQUESTS):
            row = self._database.row("SELECT parent, request FROM commits WHERE repo=? AND oid=?", repo.id, oid)
            if row is None:
                break
            if row[1] == digest:
                return oid
            if (oid := row[0]) is None:
                break
        return None

    def _check_blobs(self, connection: sqlite3.Connection, repo: int, changes: Iterable[Change]) -> None:
        """Make sure that what is named is still there: a collector may have run since it was uploaded."""
        query = "SELECT 1 FROM uploads WHERE repo=? AND sha256=?"
        for sha256, path in {change.entry.sha256: change.path for change in changes if change.entry}.items():
            work.check()
            if not connection.execute(query, (repo, sha256)).fetchone():
                raise HttpError(422, f"{path} names an object that was not uploaded to this repo")

    def _summary(self, repo: Repo, request: Request, tree: NewTree) -> Summary:
        """Return what lists are to say of a tree that is not kept yet, nor all of its blobs."""
        new = {blob.sha256: blob.path for blob in request.blobs}

        def open_blob(sha256: str) -> BinaryIO:
            if sha256 in new:
                with suppress(FileNotFoundError):  # it has its name already, if the branch has moved before
                    return open(new[sha256], "rb")
            return self._blobs.open(sha256)

        try:
            return summarise(open_blob, self._trees.files(tree.root, tree.folders))
        except OSError:  # a blob of an earlier commit is gone from the disk; fsck tells
            found = self._repos.find(repo.type, repo.name)
            return (found or repo).summary

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
        """Return the commit that changed each path last, as far back as the limit goes: less far in many folders."""
        left: dict[str, set[str]] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            left.setdefault(folder, set()).add(name)
        found: dict[str, Commit] = {}
        history = self.history(repo, oid, min(limit, 1 + _MAX_COMPARED // max(1, len(left))), messages=False)
        trees = {folder: self._folder(history[0].tree, folder) for folder in left}
        for newer, older in pairwise(history):
            work.check()
            for folder in list(left):
                before = self._folder(older.tree, folder)
                if before == trees[folder]:
                    continue  # one look a folder, not one a path
                then, now = (self._trees.entries(tree) if tree else {} for tree in (before, trees[folder]))
                changed = {name for name in left[folder] if then.get(name) != now.get(name)}
                found |= _credited(folder, changed, newer)
                trees[folder] = before
                left[folder] -= changed
                if not left[folder]:
                    del left[folder]
            if not left:
                return found
        if history[-1].parent is None:
            for folder, names in left.items():
                found |= _credited(folder, names, history[-1])
        return found

    def _folder(self, root: str, path: str) -> str | None:
        """Return the tree of a folder; None where there is none."""
        entry = self._trees.find(root, path) if path else None
        return root if not path else entry.oid if entry and entry.folder else None


def _credited(folder: str, names: Iterable[str], commit: Commit) -> dict[str, Commit]:
    return {f"{folder}/{name}" if folder else name: commit for name in names}
