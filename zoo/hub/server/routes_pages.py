"""Pages for people: which page an address means."""

from zoo.hub.server import work
from zoo.hub.server.access import LOG_IN, Access
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.pages import files, history, manage, plugins, rendering
from zoo.hub.server.pages.cards import Cards
from zoo.hub.server.pages.compare import compare_page
from zoo.hub.server.pages.comparisons import Comparisons
from zoo.hub.server.pages.edit import edit_page
from zoo.hub.server.pages.forms import Form, local, read_form, see
from zoo.hub.server.pages.listing import listing
from zoo.hub.server.pages.repo import repo_page
from zoo.hub.server.pages.tokens import tokens_page
from zoo.hub.server.pages.upload import upload_page
from zoo.hub.server.repos import Repo

_PREFIXES = ("datasets", "spaces")


async def answer(access: Access, request: Request, cards: Cards, comparisons: Comparisons) -> Response:
    """Answer with a page."""
    form = None
    if request.method == "POST" and _has_form(request.segments):
        form = await read_form(access, request)  # before all else: what it holds decides whose it is
    elif request.method not in ("GET", "HEAD"):
        raise HttpError(404, "Not found")
    match request.segments:
        case ["new"]:
            return await manage.new_page(access, request, form)
        case ["tokens"]:
            return await tokens_page(access, request, form)
        case ["compare"]:
            return await compare_page(access, request, cards, comparisons)
        case [""]:
            return await work.run_read(listing, access, request, "models")
        case ["login"]:  # at the root, so that browsers send what they are told to every page
            return _log_in(access, request)
        case ["-", name]:
            return rendering.asset(name)
        case ["plugins", *rest] if access.options.plugins is not None and len(rest) < 2:
            return await work.run_read(plugins.answer, access, access.options.plugins, rest)
        case [type_] if type_ in _PREFIXES:
            return await work.run_read(listing, access, request, type_)
        case [author] if author not in ("api", "lfs", "cas", "favicon.ico", "robots.txt"):
            return await work.run_read(listing, access, request, "models", author)
        case [type_, namespace, name, *rest] if type_ in _PREFIXES:
            return await _repo(access, request, cards, _found(access, type_, f"{namespace}/{name}"), rest, form)
        case [namespace, name, *rest]:
            return await _repo(access, request, cards, _found(access, "models", f"{namespace}/{name}"), rest, form)
    raise HttpError(404, "Not found")


def _has_form(segments: list[str]) -> bool:
    rest = segments[3 if segments[0] in _PREFIXES else 2 :]
    return segments in (["new"], ["tokens"]) or rest == ["settings"] or (rest[:1] == ["edit"] and len(rest) > 2)


def _found(access: Access, type_: str, name: str) -> Repo:
    access.check_reading(log_in=True)
    return access.repo(type_, name)


async def _repo(
    access: Access, request: Request, cards: Cards, repo: Repo, rest: list[str], form: Form | None
) -> Response:
    match rest:
        case []:
            return await repo_page(access, repo, cards)
        case ["settings"]:
            return await manage.settings_page(access, request, repo, form)
        case ["edit", branch, *path] if path:
            return await edit_page(access, request, repo, cards, (branch, "/".join(path)), form)
        case ["upload", branch]:
            return await work.run_read(upload_page, access, request, repo, branch)
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


def _log_in(access: Access, request: Request) -> Response:
    """Make a browser ask for a token, and send it to the page that it came for once it has one."""
    if access.user is None:
        raise HttpError(401, "Log in with any name, and a token as the password", headers=LOG_IN)
    return see(local(request.value("to") or "/"))


def error_page(access: Access | None, request: Request, error: HttpError) -> Response | None:
    """Return an error as a page, for a browser that asks for one."""
    if access is None or "text/html" not in request.headers.get("accept", "") or request.segments[:1] == ["api"]:
        return None
    return rendering.page(
        "error.html", access, status=error.status, headers=error.headers, message=str(error), code=error.status
    )
