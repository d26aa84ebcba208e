"""Repos: make, list, describe, refs, history, trees."""

import json
from typing import Any
from urllib.parse import parse_qs

from zoo.hub.server.access import Access
from zoo.hub.server.describe import file_entry, repo_info, tree_entries, web_id
from zoo.hub.server.http import HttpError, Request, Response, json_response
from zoo.hub.server.names import check_ref, check_repo
from zoo.hub.server.store import Repo

_TYPES = {None: "models", "model": "models", "dataset": "datasets", "space": "spaces"}
_PAGE = 1000


async def whoami(access: Access, request: Request) -> Response:
    """Say who the token belongs to."""
    access.require_token(request)
    name = "zoo"
    token = {"displayName": "zoo", "role": "write"}
    return json_response({"type": "user", "id": "1", "name": name, "orgs": [], "auth": {"accessToken": token}})


async def create(access: Access, request: Request) -> Response:
    """Make a repo; 409 with its address where there is one."""
    access.require_token(request)
    type_, name, values = await _named(request)
    private = bool(values.get("private")) or values.get("visibility") == "private"
    made = access.store.create_repo(type_, name, private)
    repo = access.store.repo(type_, name)
    assert repo is not None, "it was made, or was there"
    url = {"url": f"{access.url}/{web_id(repo)}", "name": name, "id": str(repo.id)}
    if made:
        return json_response(url)
    message = "You already created this repo"
    return json_response({**url, "error": message}, 409, {"X-Error-Message": message})


async def delete(access: Access, request: Request) -> Response:
    """Forget a repo."""
    access.require_token(request)
    type_, name, _ = await _named(request)
    access.store.delete_repo(access.repo(request, type_, name))
    return json_response({})


async def _named(request: Request) -> tuple[str, str, dict[str, Any]]:
    values = await request.json()
    namespace, _, name = str(values.get("name") or "").rpartition("/")
    namespace = str(values.get("organization") or namespace or "zoo")
    type_ = values.get("type")
    if type_ not in _TYPES:
        raise HttpError(400, "Unknown type of repo")
    return _TYPES[type_], check_repo(namespace, name), values


async def settings(access: Access, request: Request, repo: Repo) -> Response:
    """Show a repo to everybody, or not."""
    values = await request.json()
    access.store.set_private(repo, bool(values.get("private")) or values.get("visibility") == "private")
    return json_response({})


async def listing(access: Access, request: Request, type_: str) -> Response:
    """List repos: searched, filtered, sorted, page by page."""
    repos = access.store.repos(type_, private=access.has_token(request))
    if search := request.value("search"):
        repos = [repo for repo in repos if search.lower() in repo.name.lower()]
    if author := request.value("author"):
        repos = [repo for repo in repos if repo.name.split("/")[0].lower() == author.lower()]
    full = request.flag("full") or request.flag("cardData")
    heads = ((repo, access.store.resolve(repo, "main")) for repo in repos)
    infos = [repo_info(access.store, repo, head, full=full) for repo, head in heads if head]
    wanted = {*request.values("filter"), *request.values("pipeline_tag")}
    infos = [info for info in infos if wanted <= set(info["tags"])]
    if (key := request.value("sort")) in ("createdAt", "downloads", "likes"):
        infos.sort(key=lambda info: info[key], reverse=True)
    start, limit = _number(request.value("cursor"), 0), _number(request.value("limit"), _PAGE)
    page = infos[start : start + min(limit, _PAGE)]
    headers = {}
    if start + len(page) < len(infos) and len(page) < limit:
        following = f"{access.url}/api/{type_}?cursor={start + len(page)}&limit={limit - len(page)}"
        headers["Link"] = f'<{following}>; rel="next"'
    return json_response(page, headers=headers)


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdecimal() or len(text) > 9:
        raise HttpError(400, "A number is expected")
    return int(text)


async def info(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Describe a repo at a revision."""
    oid = access.commit(repo, revision)
    return json_response(repo_info(access.store, repo, oid, blobs=request.flag("blobs")))


async def tree(access: Access, request: Request, repo: Repo, revision: str, folder: str) -> Response:
    """List the files of a folder at a revision."""
    oid = access.commit(repo, revision)
    files = access.store.files(repo, oid)
    entries = tree_entries(files, folder, request.flag("recursive"))
    if folder and not entries:
        raise HttpError(404, f"{folder} does not exist on {revision!r}", "EntryNotFound")
    return json_response(entries)


async def paths_info(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Describe the files that are asked for; those that do not exist are left out."""
    oid = access.commit(repo, revision)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            asked = json.loads(body)["paths"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise HttpError(400, "The body has no paths") from None
    else:
        asked = parse_qs(body.decode("utf-8", "replace")).get("paths", [])
    files = access.store.files(repo, oid)
    entries = [file_entry(files[path]) for path in asked if isinstance(path, str) and path in files]
    return json_response(entries)


async def refs(access: Access, request: Request, repo: Repo) -> Response:
    """List branches and tags."""
    answer: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": [], "pullRequests": []}
    for ref, oid in access.store.refs(repo).items():
        kind, _, name = ref.removeprefix("refs/").partition("/")
        answer["branches" if kind == "heads" else "tags"].append({"name": name, "ref": ref, "targetCommit": oid})
    return json_response(answer)


async def commits(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """List a revision's history, newest first."""
    history = access.store.history(repo, access.commit(repo, revision))
    authors = [{"user": "zoo"}]
    return json_response(
        [
            {"id": item.oid, "title": item.title, "message": item.message, "date": item.date, "authors": authors}
            for item in history
        ]
    )


async def make_ref(access: Access, request: Request, repo: Repo, kind: str, name: str, at: str | None) -> Response:
    """Make a branch or a tag."""
    oid = access.commit(repo, at or "main")
    if not access.store.set_ref(repo, f"refs/{kind}/{check_ref(name)}", oid):
        raise HttpError(409, f"Reference {name} exists already")
    return json_response({})


async def remove_ref(access: Access, request: Request, repo: Repo, kind: str, name: str) -> Response:
    """Remove a branch or a tag."""
    if name == "main" and kind == "heads":
        raise HttpError(400, "The branch main cannot be removed")
    if not access.store.delete_ref(repo, f"refs/{kind}/{name}"):
        raise HttpError(404, f"Invalid rev id: {name}", "RevisionNotFound")
    return json_response({})
