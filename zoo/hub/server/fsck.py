"""Check a store from end to end: every byte against its hash, every name against what it names."""

import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from zoo.hub.server import audit
from zoo.hub.server.commits import commit_id
from zoo.hub.server.shelves import files_below
from zoo.hub.server.store import DAY, Store
from zoo.hub.server.trees import decode_tree, tree_id

_CHUNK = 1024 * 1024


@dataclass
class Report:
    """What was looked at and what is wrong. `bad_blobs` are missing or broken, with the files that need them."""

    blobs: int = 0
    bytes: int = 0
    commits: int = 0
    problems: list[str] = field(default_factory=list)
    bad_blobs: dict[str, list[str]] = field(default_factory=dict)
    strays: int = 0

    @property
    def clean(self) -> bool:
        """Tell whether nothing is wrong. Strays are no fault: gc removes them."""
        return not self.problems


def check_store(store: Store, progress: Callable[[int], None] = lambda _: None) -> Report:
    """Check everything, as it is at one moment; a server may run meanwhile."""
    with store.database.transaction() as connection:
        store.blobs.restore(connection)
    report = Report()
    with store.database.snapshot() as connection:
        for (fault,) in connection.execute("PRAGMA integrity_check").fetchall():
            if fault != "ok":
                report.problems.append(f"database: {fault}")
        _check_blobs(store, connection, report, progress)
        _check_history(connection, report)
        _check_refs(connection, report)
        report.problems += audit.faults(connection)
    return report


def _check_blobs(store: Store, connection: sqlite3.Connection, report: Report, progress: Callable[[int], None]) -> None:
    rows = connection.execute("SELECT sha256, size FROM blobs ORDER BY sha256").fetchall()
    for sha256, size in rows:
        report.blobs += 1
        report.bytes += size
        if _fault(store, sha256, size, progress) and (fault := _lasting_fault(store, sha256, size)):
            report.bad_blobs[sha256] = []
            report.problems.append(f"blob {sha256}: {fault}")
    known = {row[0] for row in rows}
    old = 0
    for path, status in files_below(store.blobs.shelves.folder):
        if not stat.S_ISREG(status.st_mode):
            report.problems.append(f"{path} is a link or the like, which this store never makes")
        elif path.name not in known:
            report.strays += 1
            old += status.st_mtime < time.time() - DAY
    if old and not known:
        report.problems.append(f"database: it names no blob at all, and {old:,} lie there; is this their store.db?")


def _fault(store: Store, sha256: str, size: int, progress: Callable[[int], None]) -> str | None:
    digest = hashlib.sha256()
    try:
        with store.blobs.open(sha256) as file:
            if os.fstat(file.fileno()).st_size != size:
                return f"has {os.fstat(file.fileno()).st_size:,} bytes, not {size:,}"
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                progress(len(chunk))
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if digest.hexdigest() == sha256 else f"has sha256 {digest.hexdigest()}"


def _lasting_fault(store: Store, sha256: str, size: int) -> str | None:
    """Look again while no collector runs: one may have taken the blob away since the check began."""
    with store.database.transaction() as connection:
        store.blobs.restore(connection)
        if not connection.execute("SELECT 1 FROM blobs WHERE sha256=?", (sha256,)).fetchone():
            return None
        return _fault(store, sha256, size, lambda _: None)


def _check_history(connection: sqlite3.Connection, report: Report) -> None:
    sizes = dict(connection.execute("SELECT sha256, size FROM blobs"))
    checked: dict[str, str | None] = {}
    query = """SELECT type, name, repo, url IS NOT NULL, oid, parent, tree, commits.author, title, message, date
               FROM commits JOIN repos ON repos.id=repo LEFT JOIN upstreams USING (repo) ORDER BY url IS NOT NULL"""
    for type_, name, repo, copied, oid, parent, tree, *rest in connection.execute(query).fetchall():
        report.commits += 1
        where = f"{type_}/{name} commit {oid[:12]}"
        if not copied and commit_id(tree, parent, *rest) != oid:
            report.problems.append(f"{where}: its text does not give its id")
        if parent and not connection.execute("SELECT 1 FROM commits WHERE repo=? AND oid=?", (repo, parent)).fetchone():
            report.problems.append(f"{where}: its parent {parent[:12]} is missing")
        for path, entry_tree, sha256, size in _files(connection, tree, checked):
            if entry_tree is not None:
                report.problems.append(f"{where}: the folder {path or '/'} is missing or broken")
            elif sha256 in report.bad_blobs:
                report.bad_blobs[sha256].append(f"{type_}/{name} {path}")
            elif sizes.get(sha256, size if copied else None) != size:  # of a copy files come when they are asked for
                report.problems.append(f"{where}: {path} names the blob {sha256}, which is not listed")


def _files(
    connection: sqlite3.Connection, tree: str, checked: dict[str, str | None], prefix: str = ""
) -> Iterator[tuple[str, str | None, str, int]]:
    """Yield the files below a folder that was not looked at yet, and folders that are broken."""
    if tree in checked:
        return
    row = connection.execute("SELECT entries FROM trees WHERE oid=?", (tree,)).fetchone()
    entries = decode_tree(row[0]) if row else None
    checked[tree] = None
    if entries is None or tree_id(entries) != tree:
        yield prefix, tree, "", 0
        return
    for entry in entries:
        if entry.folder:
            yield from _files(connection, entry.oid, checked, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name, None, entry.sha256, entry.size


def _check_refs(connection: sqlite3.Connection, report: Report) -> None:
    query = """SELECT type, repos.name, refs.name FROM refs JOIN repos ON repos.id=repo
               WHERE NOT EXISTS (SELECT 1 FROM commits WHERE commits.repo=refs.repo AND commits.oid=refs.oid)"""
    for type_, name, ref in connection.execute(query).fetchall():
        report.problems.append(f"{type_}/{name}: {ref} points to nothing")
    query = """SELECT type, repos.name FROM repos WHERE NOT EXISTS
               (SELECT 1 FROM refs WHERE repo=repos.id AND refs.name='refs/heads/main' AND refs.oid=repos.head)"""
    for type_, name in connection.execute(query).fetchall():
        report.problems.append(f"{type_}/{name}: main is missing, or lists show another commit")


def quarantine(store: Store, report: Report) -> int:
    """Put broken blobs aside, so that they are served no more and can be pushed again; return how many."""
    store.blobs.quarantine.mkdir(mode=0o700, exist_ok=True)
    with store.database.transaction() as connection:
        for sha256 in report.bad_blobs:
            store.blobs.shelves.take(sha256, store.blobs.quarantine / sha256)
            for table in ("placements", "uploads", "blobs"):
                connection.execute(f"DELETE FROM {table} WHERE sha256=?", (sha256,))
        connection.execute("DELETE FROM settings WHERE key='store_id'")
    return len(report.bad_blobs)
