"""What lies in a repo: folders, files, branches, tags, history."""

from urllib.parse import parse_qs

from zoo.hub.server.access import Access
from zoo.hub.server.describe import commit_infos, entry_info
from zoo.hub.server.http import HttpError, Request, Response, decode_json, json_response, text_of
from zoo.hub.server.names import check_path, check_ref
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_repos import next_link
from zoo.hub.server.work import run_write

_PAGE = 1000
_EXPANDED_PAGE = 50
_COMMITS = 50


async def tree(access: Access, request: Request, repo: Repo, revision: str, folder: str) -> Response:
    """List the files of a folder at a revision."""
    oid = access.commit(repo, revision)
    trees = access.store.trees
    root = access.store.commits.tree(repo, oid)
    if folder:
        entry = trees.find(root, check_path(folder, 400))
        if entry is None or not entry.folder:
            raise HttpError(404, f"{folder} does not exist on {revision!r}", "EntryNotFound", {"X-Repo-Commit": oid})
        root = entry.oid
    prefix = f"{folder}/" if folder else ""
    expand = request.flag("expand")
    if request.flag("recursive"):
        found = list(trees.walk(root, prefix))
    else:
        found = [(prefix + name, entry) for name, entry in trees.entries(root).items()]
    start = request.number("cursor", 0)
    page = min(request.number("limit", _PAGE), _EXPANDED_PAGE if expand else _PAGE) or 1
    shown = found[start : start + page]
    last = access.store.commits.last_changes(repo, oid, [path for path, _ in shown]) if expand else {}
    headers = {}
    if start + page < len(found):
        rest = [(key, value) for key, value in request.query if key != "cursor"]
        headers["Link"] = next_link(access, request, [*rest, ("cursor", str(start + page))])
    return json_response([entry_info(path, entry, last.get(path)) for path, entry in shown], headers=headers)


async def paths_info(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Describe the files that are asked for; those that do not exist are left out."""
    oid = access.commit(repo, revision)
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        values = decode_json(body)
        asked = values.get("paths") if isinstance(values, dict) else None
        expand = isinstance(values, dict) and values.get("expand") is True
    else:
        try:
            form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10_000)
        except ValueError:
            raise HttpError(400, "More than 10,000 paths") from None
        asked, expand = form.get("paths", []), form.get("expand", [""])[0].lower() in ("true", "1")
    if isinstance(asked, str):
        asked = [asked]
    if not isinstance(asked, list) or not all(isinstance(path, str) for path in asked):
        raise HttpError(400, "The body has no paths")
    root = access.store.commits.tree(repo, oid)
    found = {path: entry for path in asked if path and (entry := access.store.trees.find(root, path.strip("/")))}
    last = access.store.commits.last_changes(repo, oid, found) if expand else {}
    return json_response([entry_info(path, entry, last.get(path)) for path, entry in found.items()])


async def refs(access: Access, request: Request, repo: Repo) -> Response:
    """List branches and tags."""
    answer: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": []}
    for ref, oid in access.store.repos.refs(repo).items():
        kind, _, name = ref.removeprefix("refs/").partition("/")
        answer["branches" if kind == "heads" else "tags"].append({"name": name, "ref": ref, "targetCommit": oid})
    if request.flag("include_prs"):
        answer["pullRequests"] = []
    return json_response(answer)


async def commits(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """List a revision's history, newest first."""
    oid = access.commit(repo, revision)
    page, size = request.number("p", 0), min(request.number("limit", _COMMITS), 1000) or _COMMITS
    history = access.store.commits.history(repo, oid, size + 1, page * size)
    headers = {}
    if len(history) > size:
        rest = [(key, value) for key, value in request.query if key != "p"]
        headers["Link"] = next_link(access, request, [*rest, ("p", str(page + 1))])
    return json_response(commit_infos(history[:size]), headers=headers)


async def make_tag(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Make a tag."""
    return await _make_ref(access, repo, "tags", text_of(await request.json(), "tag"), revision)


async def make_branch(access: Access, request: Request, repo: Repo, name: str) -> Response:
    """Make a branch."""
    start = text_of(await request.json(), "startingPoint", "main")
    return await _make_ref(access, repo, "heads", name, start)


async def _make_ref(access: Access, repo: Repo, kind: str, name: str, start: str) -> Response:
    oid = access.commit(repo, start)
    if not await run_write(access.store.repos.set_ref, repo, f"refs/{kind}/{check_ref(name)}", oid):
        raise HttpError(409, f"Reference {name} exists already")
    return json_response({})


async def remove_ref(access: Access, repo: Repo, kind: str, name: str) -> Response:
    """Remove a branch or a tag."""
    if name == "main" and kind == "heads":
        raise HttpError(400, "The branch main cannot be removed")
    if not await run_write(access.store.repos.delete_ref, repo, f"refs/{kind}/{name}"):
        raise HttpError(404, f"Invalid rev id: {name[:100]}", "RevisionNotFound")
    return json_response({})
