"""The first page: what there is, searched, filtered, sorted."""

import re
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.pages.tasks import MODALITIES, TASKS
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_repos import list_query
from zoo.hub.server.search import Query, find_repos
from zoo.hub.server.sizes import size_text

_PAGE = 24
_SORTS = {
    "lastModified": "last changed",
    "createdAt": "newest",
    "downloads": "most downloads",
    "score": "highest score",
    "lowest_score": "lowest score",
    "size": "largest",
    "smallest": "smallest",
}
_LICENSES = (
    "apache-2.0",
    "mit",
    "bsd-3-clause",
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc-by-nc-4.0",
    "gpl-3.0",
    "other",
)
_MB = 1_000_000
_SIZES = (1, 10, 100, 1_000, 10_000, 100_000)  # MB
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)


@dataclass(frozen=True)
class Tile:
    """A repo in a list."""

    repo: Repo
    task: str | None
    library: str | None
    size: int
    parameters: int
    score: str | None
    picture: str | None


def tile(access: Access, repo: Repo) -> Tile:
    """Return what a list shows of a repo; of a gated one no picture."""
    summary = repo.summary
    return Tile(
        repo,
        summary.text("pipeline_tag"),
        summary.text("library_name"),
        summary.size,
        sum(summary.parameters.values()),
        None if summary.score is None else f"{summary.score:.4g}",
        summary.picture if not repo.gated else None,
    )


def listing(access: Access, request: Request, type_: str, author: str | None = None) -> Response:
    """Show repos as tiles."""
    access.check_reading(log_in=True)
    query = _query(access, request, type_, author)
    repos, cursor = find_repos(access.store.database, query)
    following = None
    if cursor:
        rest = [(key, value) for key, value in request.query if key != "cursor"]
        following = "?" + urlencode([*rest, ("cursor", cursor)])
    return page(
        "listing.html",
        access,
        type=type_,
        author=query.author,
        search=query.search,
        filters=_filters(request, type_),
        score=request.value("min_score") or "",
        sort=request.value("sort") or "lastModified",
        sorts=_SORTS,
        tiles=[tile(access, repo) for repo in repos],
        following=following,
        first=request.value("cursor") is None,
        asked=any(value for key, value in request.query if key not in ("sort", "cursor")) or bool(author),
    )


def _query(access: Access, request: Request, type_: str, author: str | None) -> Query:
    """Return what the address asks for; fields of the form that are empty ask for nothing."""
    query = list_query(access, request, type_, _PAGE)
    license, modality, score = (request.value(name) or "" for name in ("license", "modality", "min_score"))
    if score and not _NUMBER.fullmatch(score):
        raise HttpError(400, "min_score is not a number")
    return replace(
        query,
        author=author or query.author,
        tags=[*query.tags, *([f"license:{license}"] if license else [])],
        any_tags=MODALITIES.get(modality, (modality,)) if modality else (),
        max_size=request.number("max_size", 0) * _MB if request.value("max_size") else None,
        min_score=float(score) if score else None,
    )


def _filters(request: Request, type_: str) -> list[tuple[str, str, str, dict[str, str]]]:
    """Return the choices that the form offers: label, name, what is chosen, and the texts by value."""
    sizes = {str(size): f"up to {size_text(size * _MB)}" for size in _SIZES}
    choices: list[tuple[str, str, dict[str, str]]] = [
        ("Licence", "license", {name: name for name in _LICENSES}),
        ("Size", "max_size", sizes),
    ]
    if type_ == "models":
        named = {task: task for task in TASKS}
        choices = [("Data", "modality", {name: name for name in MODALITIES}), ("Task", "filter", named), *choices]
    found = []
    for label, name, texts in choices:
        chosen = request.value(name) or ""
        found.append((label, name, chosen, texts if chosen in ("", *texts) else {**texts, chosen: chosen}))
    return found
