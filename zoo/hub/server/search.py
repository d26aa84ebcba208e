"""Lists of repos: searched, filtered, sorted, a page at a time, at a cost that does not grow with the Hub.

What is rare is looked up by its own index and sorted; what is common is met soon while walking the order asked for.
"""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from zoo.hub.server.database import Database
from zoo.hub.server.http import HttpError
from zoo.hub.server.repos import COLUMNS, Repo, repo_of

_RARE = 500
_WALKED = 20_000  # repos that one page looks at; where few answer, the next one goes on from there
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
    "size": "size",
    "smallest": "smallest",
    "score": "score",
    "lowest_score": "lowest_score",
}
_SIZE = "COALESCE(json_extract(CAST(repos.summary AS TEXT), '$.size'), 0)"
_SCORE = "json_extract(CAST(repos.summary AS TEXT), '$.score')"
_COMPUTED = {"size": _SIZE, "smallest": f"-{_SIZE}", "score": _SCORE, "lowest_score": f"-{_SCORE}"}
"""Orders without an index: of the repos that one page may look at, those changed last are sorted."""

_Position = tuple[Any, ...]  # where a repo stands in an order: its date or number, and its id


@dataclass(frozen=True)
class Query:
    """Which repos are wanted. `namespaces` are those whose private repos may be seen; None is all of them.

    A repo has all of `tags`, and one of `any_tags` where there are any.
    """

    type: str
    namespaces: Collection[str] | None = ()
    search: str = ""
    author: str = ""
    tags: Collection[str] = field(default=())
    gated: bool | None = None
    sort: str = "modified"
    limit: int = 100
    cursor: str | None = None
    any_tags: Collection[str] = field(default=())
    max_size: int | None = None
    min_score: float | None = None


def find_repos(database: Database, query: Query) -> tuple[list[Repo], str | None]:
    """Return a page of repos and the cursor of the next one."""
    if query.sort in _COMPUTED:
        return _sorted_repos(database, query)
    where, values = _conditions(query)
    rare = _rare(database, query)
    start = _position(query.cursor) if query.cursor else None
    end = None
    if rare is not None:
        where.append(f"repos.id IN ({','.join(map(str, rare))})")
    elif not query.author:
        end = _end_of_walk(database, query, start)
    if start:
        where.append(f"({query.sort}, repos.id) < (?, ?)")
        values += start
    if end:
        where.append(f"({query.sort}, repos.id) >= (?, ?)")
        values += end
    # Left to itself, the planner may walk all repos for the few that are wanted, or sort all that it should walk.
    order = f"{query.sort} DESC, repos.id DESC"
    source = "repos NOT INDEXED" if rare is not None else f"repos INDEXED BY repos_by_{query.sort}"
    if rare is None and query.author:
        source = "repos INDEXED BY repos_by_author"
    text = f"SELECT {COLUMNS} FROM {source} WHERE {' AND '.join(where)} ORDER BY {order} LIMIT ?"
    rows = database.rows(text, *values, query.limit + 1)
    repos = [repo_of(row) for row in rows[: query.limit]]
    if len(rows) > query.limit and repos:
        end = (getattr(repos[-1], query.sort), repos[-1].id)
    return repos, _cursor(end) if end else None


def _sorted_repos(database: Database, query: Query) -> tuple[list[Repo], str | None]:
    where, values = _conditions(query)
    key = _COMPUTED[query.sort]
    source = "repos INDEXED BY repos_by_modified"
    if (rare := _rare(database, query)) is not None:
        where.append(f"repos.id IN ({','.join(map(str, rare))})")
        source = "repos NOT INDEXED"
    elif end := _end_of_walk(database, replace(query, sort="modified"), None):
        where.append("(modified, repos.id) >= (?, ?)")
        values += end
    where.append(f"{key} IS NOT NULL")
    if query.cursor:
        where.append(f"({key}, repos.id) < (?, ?)")
        values += _position(query.cursor)
    text = (
        f"SELECT {COLUMNS}, {key} FROM {source} WHERE {' AND '.join(where)} ORDER BY {key} DESC, repos.id DESC LIMIT ?"
    )
    rows = database.rows(text, *values, query.limit + 1)
    shown = rows[: query.limit]
    repos = [repo_of(row[:-1]) for row in shown]
    return repos, _cursor((shown[-1][-1], repos[-1].id)) if len(rows) > query.limit and repos else None


def _end_of_walk(database: Database, query: Query, start: _Position | None) -> _Position | None:
    """Return the last place that one page looks at, found in the index alone; None where it may look at all."""
    where, values = "type=?", [query.type]  # type: tuple[str, list[object]]
    if start:
        where += f" AND ({query.sort}, id) < (?, ?)"
        values += start
    return database.row(
        f"SELECT {query.sort}, id FROM repos INDEXED BY repos_by_{query.sort} WHERE {where} "
        f"ORDER BY {query.sort} DESC, id DESC LIMIT 1 OFFSET ?",
        *values,
        _WALKED,
    )


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
    if query.any_tags:
        where.append(f"EXISTS (SELECT 1 FROM tags WHERE {_one_of(query.any_tags)} AND tags.repo=repos.id)")
        values += query.any_tags
    if query.max_size is not None:
        where.append(f"{_SIZE}<=?")
        values.append(query.max_size)
    if query.min_score is not None:
        where.append(f"{_SCORE}>=?")
        values.append(query.min_score)
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
    if query.any_tags:
        text = f"SELECT DISTINCT repo FROM tags WHERE {_one_of(query.any_tags)} LIMIT ?"
        found.append(database.rows(text, *query.any_tags, _RARE))
    few = [rows for rows in found if len(rows) < _RARE]
    return [row[0] for row in min(few, key=len)] if few else None


def _one_of(tags: Collection[str]) -> str:
    return f"tags.tag IN ({','.join('?' * len(tags))})"


def _escaped(text: str) -> str:
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return text


def _cursor(position: _Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _position(cursor: str) -> _Position:
    try:
        value, id_ = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        str(value).encode()
    except (ValueError, TypeError, RecursionError):
        raise HttpError(400, "The cursor is none of this Hub's") from None
    if not isinstance(value, str | int | float) or type(id_) is not int or not abs(id_) < 1 << 62:
        raise HttpError(400, "The cursor is none of this Hub's")
    if isinstance(value, int | float) and not abs(value) < (1 << 62 if isinstance(value, int) else 1e300):
        raise HttpError(400, "The cursor is none of this Hub's")
    return value, id_
