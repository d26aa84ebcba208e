"""What is kept of upstream's repos: rows as of repos of one's own, whose blobs come when somebody asks for them."""

import re
import sqlite3
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import zip_longest
from typing import Any

import msgspec

from zoo.hub.listing import Item
from zoo.hub.server import audit, former_names, regular
from zoo.hub.server.blobs import NewBlob
from zoo.hub.server.changes import Change, NewTree, change_tree
from zoo.hub.server.dates import timestamp
from zoo.hub.server.http import HttpError
from zoo.hub.server.names import check_path
from zoo.hub.server.repos import Repo
from zoo.hub.server.store import Store
from zoo.hub.server.summary import PICTURES, Summary, rank_picture
from zoo.hub.server.trees import Entry, large_file, unfetched_file
from zoo.hub.server.upstream_source import Info

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SHA1, _SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")
_MAX_SIZE = 2**63 - 1
_MAX_CARD = 64 * 1024
_MAX_TAGS, _MAX_TAG = 200, 100
AUTHOR = "upstream"


class Copies:
    """The copies in a store."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url

    def find(self, type_: str, name: str) -> Repo | None:
        """Return a repo by name, of one's own or a copy."""
        return self._store.repos.find(type_, name)

    def knows(self, repo: Repo, commit: str) -> bool:
        """Tell whether a commit of a copy is here."""
        return self._store.database.row("SELECT 1 FROM commits WHERE repo=? AND oid=?", repo.id, commit) is not None

    def add(self, type_: str, info: Info, revision: str, items: list[Item] | None) -> None:
        """Keep what a revision is now; `items` lie in it, or None where its commit is here already."""
        repo = self.find(type_, info.id)
        tree = self._tree(items) if items is not None else NewTree(self._store.commits.tree(_there(repo), info.sha))
        main = revision == "main"
        summary = _described(_summary(self._store.trees.files(tree.root, tree.folders)), info) if main else None
        with self._store.database.transaction() as connection:
            self._store.trees.insert_copy(connection, tree.folders)
            id_ = self._repo(connection, type_, info)
            self._note_commit(connection, id_, tree.root, info)
            if summary is not None:
                self._set_main(connection, type_, info, summary)
            if revision != info.sha:
                self._point(connection, id_, revision, info.sha)

    @staticmethod
    def _note_commit(connection: sqlite3.Connection, repo: int, tree: str, info: Info) -> None:
        """Keep a commit of which no more is known than what lies in it."""
        values = (repo, info.sha, None, tree, AUTHOR, "As upstream has it", "", _date(info.lastModified), "")
        connection.execute("INSERT OR IGNORE INTO commits VALUES (?,?,?,?,?,?,?,?,?)", values)

    @staticmethod
    def _point(connection: sqlite3.Connection, repo: int, revision: str, oid: str) -> None:
        """Let a revision name a commit: a tag where one of that name is known, else a branch."""
        tag = "SELECT 1 FROM refs WHERE repo=? AND name=?"
        kind = "tags" if connection.execute(tag, (repo, f"refs/tags/{revision}")).fetchone() else "heads"
        ref = revision if revision.startswith("refs/") else f"refs/{kind}/{revision}"
        connection.execute("INSERT OR REPLACE INTO refs VALUES (?,?,?)", (repo, ref, oid))

    def _repo(self, connection: sqlite3.Connection, type_: str, info: Info) -> int:
        query = "SELECT repos.id, url FROM repos LEFT JOIN upstreams ON repo=repos.id WHERE type=? AND name=?"
        row = connection.execute(query, (type_, info.id)).fetchone()
        if row is not None:
            if row[1] is None:
                raise HttpError(409, f"{info.id} was made here at the same moment; ask again")
            return int(row[0])
        repo = self._store.repos.insert(connection, type_, info.id, info.private, info.sha)
        assert repo is not None, "there is none of that name"
        connection.execute("INSERT INTO upstreams VALUES (?,?)", (repo, self._url))
        return repo

    def _set_main(self, connection: sqlite3.Connection, type_: str, info: Info, summary: Summary) -> None:
        repo = self._store.repos.in_transaction(connection, type_, info.id)
        self._store.repos.summarised(connection, repo, info.sha, _date(info.lastModified), summary)
        change = "UPDATE repos SET private=?1, created=?2, epoch=epoch+(private<>?1) WHERE id=?3"
        connection.execute(change, (info.private, _date(info.createdAt), repo.id))

    def _tree(self, items: list[Item]) -> NewTree:
        """Return the tree that files make; names that could mean something else on a disk are left out."""
        changes = [Change("put", item.path, entry) for item in items if (entry := self._entry(item)) is not None]
        try:
            return change_tree(self._store.trees, "", changes)
        except HttpError as error:
            raise HttpError(502, f"{self._url} lists what makes no tree: {error}") from None

    def _entry(self, item: Item) -> Entry | None:
        try:
            name = check_path(item.path).rpartition("/")[2]
        except HttpError:
            return None
        size = item.lfs.size if item.lfs else item.size
        whole = _SHA256.fullmatch(item.lfs.oid) if item.lfs else _SHA1.fullmatch(item.oid)
        if not whole or not 0 <= size <= _MAX_SIZE:
            raise HttpError(502, f"{self._url} lists {item.path[:200]!r} with a broken hash or size")
        if item.lfs:
            return large_file(name, item.lfs.oid, size)
        placeholder = regular.unfetched(item.oid)
        return unfetched_file(name, item.oid, size, regular.known(self._store.database, placeholder))

    def keep(self, repo: Repo, oid: str, blob: NewBlob) -> None:
        """Keep the bytes of a file that were hashed; `oid` is git's id of a regular one."""
        self._store.blobs.place([blob])
        with self._store.database.transaction() as connection:
            if not connection.execute("SELECT 1 FROM repos WHERE id=?", (repo.id,)).fetchone():
                raise HttpError(404, "Repository not found", "RepoNotFound")
            self._store.blobs.keep(connection, repo.id, [blob])
            if oid:
                regular.note(connection, oid, blob.sha256)
            connection.execute("INSERT OR REPLACE INTO fetched VALUES (?,?)", (blob.sha256, time.time()))

    def used(self, times: dict[str, float]) -> None:
        """Note when fetched files were asked for last."""
        with self._store.database.transaction() as connection:
            statement = "UPDATE fetched SET used=MAX(used, ?) WHERE sha256=?"
            known = [(time_, regular.known(self._store.database, sha256)) for sha256, time_ in times.items()]
            connection.executemany(statement, known)

    def make_room(self, size: int, max_bytes: int) -> int:
        """Remove fetched files that were asked for longest ago until so many bytes fit; return how many went.

        What a repo of one's own was given stays, whoever has it besides, and what is pinned.
        """
        query = """SELECT sha256, size FROM fetched JOIN blobs USING (sha256) WHERE NOT EXISTS
                   (SELECT 1 FROM uploads LEFT JOIN upstreams USING (repo)
                    WHERE uploads.sha256=fetched.sha256 AND (url IS NULL OR EXISTS (SELECT 1 FROM settings
                    WHERE key='pinned ' || repo))) ORDER BY used"""
        removed = 0
        with self._store.database.transaction() as connection, self._store.blobs.removing(connection) as remove:
            total = connection.execute("SELECT SUM(size) FROM fetched JOIN blobs USING (sha256)").fetchone()[0] or 0
            for sha256, length in connection.execute(query).fetchall():
                if total + size <= max_bytes:
                    break
                for table in ("placements", "uploads", "blobs"):
                    connection.execute(f"DELETE FROM {table} WHERE sha256=?", (sha256,))
                remove(sha256)
                total -= length
                removed += 1
        if removed:
            with self._store.database.transaction() as connection:
                self._store.blobs.restore(connection)
        return removed

    def add_former_name(self, type_: str, name: str, repo: Repo) -> None:
        """Let a name that upstream has for a copy beside its own lead to it."""
        with self._store.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM repos WHERE id=?", (repo.id,)).fetchone():
                former_names.remember(connection, type_, name, repo.id)

    def whole_name(self, type_: str, word: str) -> str | None:
        """Return the name of the repo that upstream knows by one word."""
        row = self._store.database.row("SELECT value FROM settings WHERE key=?", f"upstream {type_}/{word}")
        return str(row[0]) if row else None

    def keep_whole_name(self, type_: str, word: str, name: str) -> None:
        """Remember the name of the repo that upstream knows by one word."""
        with self._store.database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO settings VALUES (?,?)", (f"upstream {type_}/{word}", name))

    def document(self, repo: Repo, name: str) -> bytes | None:
        """Return what upstream last said under a name."""
        row = self._store.database.row("SELECT body FROM documents WHERE repo=? AND name=?", repo.id, name)
        return bytes(row[0]) if row else None

    def keep_document(self, repo: Repo, name: str, body: bytes) -> None:
        """Keep what upstream says under a name."""
        with self._store.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM repos WHERE id=?", (repo.id,)).fetchone():
                connection.execute("INSERT OR REPLACE INTO documents VALUES (?,?,?)", (repo.id, name, body))


def _there(repo: Repo | None) -> Repo:
    assert repo is not None, "a commit of it is here"
    return repo


def _summary(files: Mapping[str, Entry]) -> Summary:
    pictures = sorted((path for path in files if path.lower().endswith(PICTURES)), key=rank_picture)
    largest = max(files, key=lambda path: (files[path].size, path), default="")
    size = sum(entry.size for entry in files.values())
    return Summary(size=size, files=len(files), largest=largest, picture=next(iter(pictures), ""))


def _described(summary: Summary, info: Info) -> Summary:
    """Return a summary with what upstream itself says of a repo; of another type than it should be that is nothing."""
    card = (
        info.cardData if isinstance(info.cardData, dict) and len(msgspec.json.encode(info.cardData)) < _MAX_CARD else {}
    )
    own = {"pipeline_tag": info.pipeline_tag, "library_name": info.library_name}
    card = {**card, **{key: value for key, value in own.items() if isinstance(value, str)}}
    listed = info.tags if isinstance(info.tags, list) else []
    tags = [tag for tag in listed if isinstance(tag, str) and 0 < len(tag) <= _MAX_TAG][:_MAX_TAGS]
    counts = info.safetensors.get("parameters") if isinstance(info.safetensors, dict) else None
    known = counts if isinstance(counts, dict) and len(counts) <= 20 else {}
    parameters = {key: value for key, value in known.items() if type(value) is int and 0 <= value < 1 << 62}
    return msgspec.structs.replace(summary, card=card, tags=tags, parameters=parameters)


def _date(value: Any) -> str:
    return value if isinstance(value, str) and _DATE.fullmatch(value) else timestamp()


def note_history(
    store: Store, type_: str, name: str, lines: Iterable[list[tuple[str, str, str, str, datetime]]], tags: Iterable[str]
) -> int:
    """Note who made a copy's commits, and which follow which, newest first in every line; return how many it has."""
    with store.database.transaction() as connection:
        repo = store.repos.in_transaction(connection, type_, name)
        known = {str(row[0]) for row in connection.execute("SELECT oid FROM commits WHERE repo=?", (repo.id,))}
        for line in lines:
            for (oid, author, title, message, date), before in zip_longest(line, line[1:]):
                parent = before[0] if before and before[0] in known else None
                values = (parent, author, title, message, date.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), repo.id, oid)
                change = "UPDATE commits SET parent=?, author=?, title=?, message=?, date=? WHERE repo=? AND oid=?"
                connection.execute(change, values)
        for tag in tags:
            change = "UPDATE OR REPLACE refs SET name=? WHERE repo=? AND name=?"
            connection.execute(change, (f"refs/tags/{tag}", repo.id, f"refs/heads/{tag}"))
        connection.execute("INSERT OR REPLACE INTO settings VALUES (?, '1')", (f"pinned {repo.id}",))
        audit.note(connection, "repo.import", repo.web_id, f"from {repo.upstream}")
    return len(known)
