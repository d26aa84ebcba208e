"""The first page: what there is, searched, filtered, sorted."""

from dataclasses import dataclass
from urllib.parse import urlencode

from zoo.hub.server.access import Access
from zoo.hub.server.http import Request, Response
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_repos import list_query
from zoo.hub.server.search import find_repos

_PAGE = 24
TASKS = (
    "image-classification",
    "object-detection",
    "image-segmentation",
    "text-classification",
    "text-generation",
    "translation",
    "summarization",
    "unconditional-image-generation",
    "image-feature-extraction",
    "fill-mask",
)
_SORTS = {"lastModified": "last changed", "createdAt": "newest", "downloads": "most downloads"}


@dataclass(frozen=True)
class Tile:
    """A repo in a list."""

    repo: Repo
    task: str | None
    library: str | None
    size: int
    parameters: int
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
        summary.picture if not repo.gated else None,
    )


def listing(access: Access, request: Request, type_: str, author: str | None = None) -> Response:
    """Show repos as tiles."""
    access.check_reading(log_in=True)
    query = list_query(access, request, type_, _PAGE)
    if author:
        from dataclasses import replace

        query = replace(query, author=author)
    repos, cursor = find_repos(access.store.database, query)
    following = None
    if cursor:
        rest = [(key, value) for key, value in request.query if key != "cursor"]
        following = "?" + urlencode([*rest, ("cursor", cursor)])
    task = request.value("filter") or ""
    return page(
        "listing.html",
        access,
        type=type_,
        author=query.author,
        search=query.search,
        task=task,
        tasks=TASKS if task in ("", *TASKS) else (*TASKS, task),
        sort=request.value("sort") or "lastModified",
        sorts=_SORTS,
        tiles=[tile(access, repo) for repo in repos],
        following=following,
        first=request.value("cursor") is None,
        asked=bool(query.search or task or query.author),
    )
