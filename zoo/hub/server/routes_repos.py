"""Repos: make, list, describe, move, delete, and who may have them."""

from typing import Any
from urllib.parse import urlencode

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.describe import repo_info
from zoo.hub.server.http import HttpError, Request, Response, json_response, text_of
from zoo.hub.server.names import check_new_repo, check_repo
from zoo.hub.server.repos import Repo
from zoo.hub.server.search import SORTS, Query, find_repos

_TYPES = {"": "models", "model": "models", "dataset": "datasets", "space": "spaces"}
_PAGE = 100
_LARGEST_PAGE = 1000


async def whoami(access: Access, request: Request) -> Response:
    """Say who the token belongs to."""
    user = access.require_user()
    orgs = [{"type": "org", "id": name, "name": name, "fullname": name} for name in (*user.namespaces, *user.read)]
    token = {"displayName": user.label, "role": user.role}
    answer = {"type": "user", "id": str(user.id), "name": user.name, "fullname": user.name, "orgs": orgs}
    return json_response({**answer, "auth": {"type": "access_token", "accessToken": token}})


async def create(access: Access, request: Request) -> Response:
    """Make a repo; 409 with its address where there is one."""
    access.require_user()
    values = await request.json()
    type_, name = _named(access, values)
    repo, made = await make_repo(access, type_, name, _wants_private(values) or False)
    url = {"url": f"{access.url}/{repo.web_id}", "name": repo.name, "id": str(repo.id)}
    if made:
        return json_response(url)
    message = "You already created this repo"
    return json_response({**url, "error": message}, 409, {"X-Error-Message": message})


async def make_repo(access: Access, type_: str, name: str, private: bool) -> tuple[Repo, bool]:
    """Make a repo where the user may; return it, and whether it is new."""
    check_new_repo(name)
    user = access.require_writer(name.partition("/")[0])
    made = await work.run_write(access.store.commits.create_repo, type_, name, private, user.name)
    repo = access.store.repos.find(type_, name)
    if repo is None:
        raise HttpError(409, "The repo was deleted at the same moment; try again")
    return repo, made


async def delete(access: Access, request: Request) -> Response:
    """Forget a repo."""
    access.require_user()
    type_, name = _named(access, await request.json())
    await delete_repo(access, access.repo(type_, name))
    return json_response({})


async def delete_repo(access: Access, repo: Repo) -> None:
    """Forget a repo where the user may."""
    access.require_writer(repo.namespace)
    await work.run_write(access.store.repos.delete, repo)


async def move(access: Access, request: Request) -> Response:
    """Give a repo another name."""
    access.require_user()
    values = await request.json()
    type_, name = _named(access, {"name": values.get("fromRepo"), "type": values.get("type")})
    _, new_name = _named(access, {"name": values.get("toRepo"), "type": values.get("type")})
    await move_repo(access, access.repo(type_, name), new_name)
    return json_response({})


async def move_repo(access: Access, repo: Repo, new_name: str) -> None:
    """Give a repo another name where the user may write to both."""
    check_new_repo(new_name)
    repo.check_own()
    for namespace in (repo.namespace, new_name.partition("/")[0]):
        access.require_writer(namespace)
    if not await work.run_write(access.store.repos.move, repo, new_name):
        raise HttpError(409, f"There is a repo {new_name} already")


def _named(access: Access, values: dict[str, Any]) -> tuple[str, str]:
    namespace, _, name = text_of(values, "name").rpartition("/")
    namespace = text_of(values, "organization") or namespace or access.require_user().name
    if (type_ := text_of(values, "type")) not in _TYPES:
        raise HttpError(400, "Unknown type of repo")
    return _TYPES[type_], check_repo(namespace, name)


def _wants_private(values: dict[str, Any]) -> bool | None:
    """Return what a client asks for, in its newer or older words; None when it says nothing."""
    if (visibility := text_of(values, "visibility")) in ("private", "public"):
        return visibility == "private"
    private = values.get("private")
    return private if isinstance(private, bool) else None


async def settings(access: Access, request: Request, repo: Repo) -> Response:
    """Show a repo to everybody or not, and put a gate before its files or not."""
    values = await request.json()
    private, gated = _wants_private(values), values.get("gated", repo.gated)
    private = repo.private if private is None else private
    gated = await configure_repo(access, repo, private, gated)
    return json_response({"private": private, "gated": gated or False})


async def configure_repo(access: Access, repo: Repo, private: bool, gated: Any) -> str:
    """Set who may see a repo and who may have its files, where the user may; return the gate as it is kept."""
    if gated not in (False, None, "", "auto", "manual"):
        raise HttpError(400, "gated is auto, manual or false")
    access.require_writer(repo.namespace)
    await work.run_write(access.store.repos.configure, repo, private, gated or "")
    return gated or ""


async def auth_check(access: Access, repo: Repo, write: bool) -> Response:
    """Say whether the user may have a repo's files, or change them."""
    if write:
        access.require_writer(repo.namespace)
        repo.check_own()
    await access.check_files(repo)
    return json_response({})


async def listing(access: Access, request: Request, type_: str) -> Response:
    """List repos: searched, filtered, sorted, page by page."""
    return await work.run_read(_listing, access, request, type_)


def _listing(access: Access, request: Request, type_: str) -> Response:
    access.check_reading()
    query = list_query(access, request, type_, _PAGE)
    requested = request.number("limit", -1)
    page = min(requested, _LARGEST_PAGE) if requested >= 0 else _PAGE
    repos, cursor = find_repos(access.store.database, query) if page else ([], None)
    headers = {}
    if cursor and (requested < 0 or requested > len(repos)):
        rest = [(key, value) for key, value in request.query if key not in ("cursor", "limit")]
        rest += [("cursor", cursor), *([("limit", str(requested - len(repos)))] if requested >= 0 else [])]
        headers["Link"] = next_link(access, request, rest)
    return json_response([repo_info(access.store, repo) for repo in repos], headers=headers)


def list_query(access: Access, request: Request, type_: str, page: int) -> Query:
    """Return what a list's address asks for."""
    sort = request.value("sort") or "lastModified"
    if sort not in SORTS:
        raise HttpError(400, f"Unknown sort; known are {', '.join(SORTS)}")
    tags = [part for value in request.values("filter") for part in value.split(",") if part]
    tags += request.values("pipeline_tag") + request.values("library")
    if len(tags) > 20:
        raise HttpError(400, "More than 20 filters")
    return Query(
        type=type_,
        namespaces=access.namespaces,
        search=(request.value("search") or "").replace("\0", "").strip()[:200],
        author=(request.value("author") or "")[:200],
        tags=[tag for tag in tags if tag],
        gated=request.flag("gated") if request.value("gated") is not None else None,
        sort=SORTS[sort],
        limit=min(request.number("limit", page), _LARGEST_PAGE) or page,
        cursor=request.value("cursor"),
    )


def next_link(access: Access, request: Request, query: list[tuple[str, str]]) -> str:
    """Return the Link header to the following page."""
    return f'<{access.url}{request.raw_path}?{urlencode(query)}>; rel="next"'


async def info(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Describe a repo at a revision."""
    return await work.run_read(_info, access, request, repo, revision)


def _info(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    oid = access.commit(repo, revision)
    return json_response(repo_info(access.store, repo, oid, blobs=request.flag("blobs")))


async def granted(access: Access, repo: Repo, status: str) -> Response:
    """List who has asked for a gated repo's files: nobody waits here, access is granted or not."""
    users = access.store.users.granted(repo) if status == "accepted" else []
    return json_response(
        [
            {
                "requestId": user.name,
                "user": {"user": user.name, "fullname": user.name},
                "status": "accepted",
                "timestamp": time,
            }
            for user, time in users
        ]
    )


async def grant(access: Access, request: Request, repo: Repo) -> Response:
    """Let a user have a gated repo's files, or no longer."""
    values = await request.json()
    user = access.store.users.find(text_of(values, "user") or text_of(values, "requestId"))
    if user is None:
        raise HttpError(404, "There is no such user")
    users = access.store.users
    change = users.grant if text_of(values, "status", "accepted") == "accepted" else users.revoke
    await work.run_write(change, repo, user)
    return json_response({})
