"""Pages for people: which page an address means."""

from zoo.hub.server import work
from zoo.hub.server.access import LOG_IN, Access
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.pages import files, history, plugins, rendering
from zoo.hub.server.pages.cards import Cards
from zoo.hub.server.pages.listing import listing
from zoo.hub.server.pages.repo import repo_page
from zoo.hub.server.repos import Repo

_PREFIXES = ("datasets", "spaces")


async def answer(access: Access, request: Request, cards: Cards) -> Response:
    """Answer with a page."""
    if request.method not in ("GET", "HEAD"):
        raise HttpError(404, "Not found")
    match request.segments:
        case [""]:
            return await work.run_read(listing, access, request, "models")
        case ["login"]:  # at the root, so that browsers send what they are told to every page
            return _log_in(access)
        case ["-", name]:
            return rendering.asset(name)
        case ["plugins", *rest] if access.options.plugins is not None and len(rest) < 2:
            return await work.run_read(plugins.answer, access, access.options.plugins, rest)
        case [type_] if type_ in _PREFIXES:
            return await work.run_read(listing, access, request, type_)
        case [author] if author not in ("api", "lfs", "cas", "favicon.ico", "robots.txt"):
            return await work.run_read(listing, access, request, "models", author)
        case [type_, namespace, name, *rest] if type_ in _PREFIXES:
            return await _repo(access, request, cards, _found(access, type_, f"{namespace}/{name}"), rest)
        case [namespace, name, *rest]:
            return await _repo(access, request, cards, _found(access, "models", f"{namespace}/{name}"), rest)
    raise HttpError(404, "Not found")


def _found(access: Access, type_: str, name: str) -> Repo:
    access.check_reading(log_in=True)
    return access.repo(type_, name)


async def _repo(access: Access, request: Request, cards: Cards, repo: Repo, rest: list[str]) -> Response:
    match rest:
        case []:
            return await repo_page(access, repo, cards)
        case ["tree", revision, *path]:
            return await work.run_read(files.folder_page, access, repo, revision, "/".join(path).strip("/"))
        case ["blob", revision, *path] if path:
            await access.check_files(repo)
            return await work.run_read(files.file_page, access, repo, revision, "/".join(path))
        case ["picture", revision, *path] if path:
            await access.check_files(repo)
            return await work.run_read(files.picture, access, repo, revision, "/".join(path))
        case ["commits", revision]:
            return await work.run_read(history.history_page, access, request, repo, revision)
        case ["commit", oid]:
            return await work.run_read(history.commit_page, access, repo, oid)
    raise HttpError(404, "Not found")


def _log_in(access: Access) -> Response:
    """Make a browser ask for a token, and send it back to the first page once it has one."""
    if access.user is None:
        raise HttpError(401, "Log in with any name, and a token as the password", headers=LOG_IN)
    return Response(303, headers={"Location": "/"})


def error_page(access: Access | None, request: Request, error: HttpError) -> Response | None:
    """Return an error as a page, for a browser that asks for one."""
    if access is None or "text/html" not in request.headers.get("accept", "") or request.segments[:1] == ["api"]:
        return None
    return rendering.page(
        "error.html", access, status=error.status, headers=error.headers, message=str(error), code=error.status
    )
