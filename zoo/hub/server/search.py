"""Lists of repos: searched, filtered, sorted, a page at a time, at a cost that does not grow with the Hub.

What is rare is looked up by its own index and sorted; what is common is met soon while walking the order asked for.
"""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass, field

from zoo.hub.server.database import Database
from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import COLUMNS, Repo, repo_of

_RARE = 500
_TRIGRAM = 3
SORTS = {
    "lastModified": "modified",
    "last_modified": "modified",
    "modified": "modified",
    "createdAt": "created",
    "created_at": "created",
    "downloads": "downloads",
    "trendingScore": "downloads",
    "trending_score": "downloads",
    "likes": "modified",
}


@dataclass(frozen=True)
class Query:
    """Which repos are wanted. `namespaces` are those whose private repos may be seen; None is all of them."""

    type: str
    namespaces: Collection[str] | None = ()
    search: str = ""
    author: str = ""
    tags: Collection[str] = field(default=())
    gated: bool | None = None
    sort: str = "modified"
    limit: int = 100
    cursor: str | None = None


def find_repos(database: Database, query: Query) -> tuple[list[Repo], str | None]:
    """Return a page of repos and the cursor of the next one."""
    where, values = _conditions(query)
    rare = _rare(database, query)
    if rare is not None:
        where.append(f"repos.id IN ({','.join(map(str, rare))})")
    if query.cursor:
        value, id_ = _position(query.cursor)
        where.append(f"({query.sort}, repos.id) < (?, ?)")
        values += [value, id_]
    # Left to itself, the planner may walk all repos for the few that are wanted, or sort all that it should walk.
    order = f"{query.sort} DESC, repos.id DESC"
    source = "repos NOT INDEXED" if rare is not None else f"repos INDEXED BY repos_by_{query.sort}"
    if rare is None and query.author:
        source = "repos INDEXED BY repos_by_author"
    text = f"SELECT {COLUMNS} FROM {source} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
    rows = database.rows(text, *values, query.limit + 1)
    repos = [repo_of(row) for row in rows[: query.limit]]
    more = len(rows) > query.limit and bool(repos)
    return repos, _cursor(query.sort, repos[-1]) if more else None


def _conditions(query: Query) -> tuple[list[str], list[object]]:
    where, values = ["type=?"], [query.type]  # type: tuple[list[str], list[object]]
    if query.namespaces is not None:
        marks = ",".join("?" * len(query.namespaces))
        where.append(f"(private=0 OR author IN ({marks}))")
        values += query.namespaces
    if query.author:
        where.append("author=?")
        values.append(query.author)
    if query.search:
        where.append("name LIKE ? ESCAPE '\\'")
        values.append(f"%{_escaped(query.search)}%")
    if query.gated is not None:
        where.append("gated<>''" if query.gated else "gated=''")
    for tag in query.tags:
        where.append("EXISTS (SELECT 1 FROM tags WHERE tags.tag=? AND tags.repo=repos.id)")
        values.append(tag.lower())
    return where, values


def _rare(database: Database, query: Query) -> list[int] | None:
    """Return the repos that a search or a tag alone leaves, when they are few."""
    found = []
    if len(query.search) >= _TRIGRAM:
        phrase = '"' + query.search.replace('"', '""') + '"'
        text = "SELECT rowid FROM names WHERE names MATCH ? LIMIT ?"
        found.append(database.rows(text, phrase, _RARE))
    for tag in query.tags:
        found.append(database.rows("SELECT repo FROM tags WHERE tag=? LIMIT ?", tag.lower(), _RARE))
    few = [rows for rows in found if len(rows) < _RARE]
    return [row[0] for row in min(few, key=len)] if few else None


def _escaped(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return text


def _cursor(sort: str, repo: Repo) -> str:
    value = getattr(repo, sort)
    return base64.urlsafe_b64encode(json.dumps([value, repo.id]).encode()).decode()


def _position(cursor: str) -> tuple[str | int, int]:
    try:
        value, id_ = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError, RecursionError):
        raise HttpError(400, "The cursor is none of this Hub's") from None
    if not isinstance(value, str | int) or type(id_) is not int or not all(abs(n) < 1 << 62 for n in (id_,)):
        raise HttpError(400, "The cursor is none of this Hub's")
    if isinstance(value, int) and abs(value) >= 1 << 62:
        raise HttpError(400, "The cursor is none of this Hub's")
    return value, id_
