"""What lies in a repo: folders, files, branches, tags, history."""

from collections.abc import Iterator
from itertools import islice
from urllib.parse import parse_qs, quote

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.describe import commit_infos, entry_info
from zoo.hub.server.http import HttpError, Request, Response, decode_json, json_response, text_of
from zoo.hub.server.names import check_path, check_ref
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_repos import next_link
from zoo.hub.server.trees import Entry, Trees
from zoo.hub.server.upstream import Upstream

_PAGE = 1000
_EXPANDED_PAGE = 50
_COMMITS = 50
_MAX_COMMITS = 100  # their messages are long at times
_LONGEST_CURSOR = 2048
_MAX_SKIPPED = 100_000
_MAX_REFS = 10_000
_MAX_PATHS_BODY = 4 * 1024 * 1024
_MAX_PATHS = 10_000
_MAX_EXPANDED_PATHS = 100
_FOLDERS_A_PATH = 10  # on average


async def tree(access: Access, request: Request, repo: Repo, revision: str, folder: str) -> Response:
    """List the files of a folder at a revision."""
    return await work.run_read(_tree, access, request, repo, revision, folder)


def _tree(access: Access, request: Request, repo: Repo, revision: str, folder: str) -> Response:
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
    page = min(request.number("limit", _PAGE), _EXPANDED_PAGE if expand else _PAGE) or 1
    cursor = request.value("cursor") or ""
    if len(cursor) > _LONGEST_CURSOR:
        raise HttpError(400, "The cursor is none of this Hub's; list again without one")
    found = _entries_after(trees, root, cursor, request.flag("recursive"))
    listed = [(prefix + path, entry) for path, entry in islice(found, page + 1)]
    shown = listed[:page]
    last = access.store.commits.last_changes(repo, oid, [path for path, _ in shown]) if expand else {}
    headers = {}
    if len(listed) > page:
        path, entry = shown[-1]
        rest = [(key, value) for key, value in request.query if key != "cursor"]
        cursor = path.removeprefix(prefix) + "/" * entry.folder
        headers["Link"] = next_link(access, request, [*rest, ("cursor", cursor)])
    return json_response([entry_info(path, entry, last.get(path)) for path, entry in shown], headers=headers)


def _entries_after(
    trees: Trees, root: str, cursor: str, recursive: bool, prefix: str = ""
) -> Iterator[tuple[str, Entry]]:
    """Yield what a folder has after the place that a cursor names, which is a path as git sorts it: a folder's ends in
    a slash. Folders before the place are not looked into."""
    name, slash, rest = cursor.partition("/")
    place = name + slash
    work.check()
    for entry in trees.entries(root).values():
        key = entry.name + "/" * entry.folder
        if key < place:
            continue
        if key != place:
            yield prefix + entry.name, entry
        if entry.folder and recursive:
            yield from _entries_after(trees, entry.oid, rest if key == place else "", True, f"{prefix}{key}")


async def paths_info(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Describe the files that are asked for; those that do not exist are left out."""
    requested, expand = await _asked_paths(request)
    limit = _MAX_EXPANDED_PATHS if expand else _MAX_PATHS
    few = len(requested) <= limit
    paths = list(dict.fromkeys(path for path in (path.strip("/") for path in requested) if path)) if few else []
    if not few or sum(path.count("/") for path in paths) > limit * _FOLDERS_A_PATH:
        raise HttpError(413, f"More than {limit:,} paths{' with expand' if expand else ''}; ask for them in parts")
    return await work.run_read(_paths_info, access, repo, revision, paths, expand)


async def _asked_paths(request: Request) -> tuple[list[str], bool]:
    body = await request.body(_MAX_PATHS_BODY)
    if request.headers.get("content-type", "").startswith("application/json"):
        values = decode_json(body)
        requested = values.get("paths") if isinstance(values, dict) else None
        expand = isinstance(values, dict) and values.get("expand") is True
    else:
        try:
            form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=_MAX_PATHS + 10)
        except ValueError:
            raise HttpError(413, f"More than {_MAX_PATHS:,} paths; ask for them in parts") from None
        requested, expand = form.get("paths", []), form.get("expand", [""])[0].lower() in ("true", "1")
    if isinstance(requested, str):
        requested = [requested]
    if not isinstance(requested, list) or not all(isinstance(path, str) for path in requested):
        raise HttpError(400, "The body has no paths")
    return requested, expand


def _paths_info(access: Access, repo: Repo, revision: str, paths: list[str], expand: bool) -> Response:
    oid = access.commit(repo, revision)
    root = access.store.commits.tree(repo, oid)
    found = {path: entry for path in paths if (entry := access.store.trees.find(root, path))}
    last = access.store.commits.last_changes(repo, oid, found) if expand else {}
    return json_response([entry_info(path, entry, last.get(path)) for path, entry in found.items()])


async def refs(access: Access, request: Request, repo: Repo, upstream: Upstream | None) -> Response:
    """List branches and tags; those of a copy as upstream lists them."""
    if repo.upstream and upstream is not None:
        route = "refs?include_prs=true" if request.flag("include_prs") else "refs"
        if isinstance(listed := await upstream.document(repo, route), dict):
            return json_response(listed)
    return await work.run_read(_refs, access, request, repo)


def _refs(access: Access, request: Request, repo: Repo) -> Response:
    answer: dict[str, list[dict[str, str]]] = {"branches": [], "tags": [], "converts": []}
    for ref, oid in access.store.repos.refs(repo).items():
        kind, _, name = ref.removeprefix("refs/").partition("/")
        answer["branches" if kind == "heads" else "tags"].append({"name": name, "ref": ref, "targetCommit": oid})
    if request.flag("include_prs"):
        answer["pullRequests"] = []
    return json_response(answer)


async def commits(access: Access, request: Request, repo: Repo, revision: str, upstream: Upstream | None) -> Response:
    """List a revision's history, newest first; that of a copy as upstream lists it."""
    if repo.upstream and upstream is not None:
        page, size = request.number("p", 0), min(request.number("limit", _COMMITS), _MAX_COMMITS) or _COMMITS
        route = f"commits/{quote(revision, safe='')}?p={page}&limit={size}"
        if isinstance(listed := await upstream.document(repo, route), list):
            rest = [(key, value) for key, value in request.query if key != "p"]
            more = {"Link": next_link(access, request, [*rest, ("p", str(page + 1))])} if len(listed) == size else {}
            return json_response(listed, headers=more)
    return await work.run_read(_commits, access, request, repo, revision)


def _commits(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    oid = access.commit(repo, revision)
    page, size = request.number("p", 0), min(request.number("limit", _COMMITS), _MAX_COMMITS) or _COMMITS
    history = access.store.commits.history(repo, oid, size + 1, checked_skip(page * size))
    headers = {}
    if len(history) > size:
        rest = [(key, value) for key, value in request.query if key != "p"]
        headers["Link"] = next_link(access, request, [*rest, ("p", str(page + 1))])
    return json_response(commit_infos(history[:size]), headers=headers)


def checked_skip(count: int) -> int:
    """Return how many commits a page leaves out. Raise HttpError 400 for more than are walked through."""
    if count > _MAX_SKIPPED:
        raise HttpError(
            400, f"Commits before the newest {_MAX_SKIPPED:,} are not listed; ask for those of an older revision"
        )
    return count


async def make_tag(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """Make a tag."""
    return await _make_ref(access, repo, "tags", text_of(await request.json(), "tag"), revision)


async def make_branch(access: Access, request: Request, repo: Repo, name: str) -> Response:
    """Make a branch."""
    start = text_of(await request.json(), "startingPoint", "main")
    return await _make_ref(access, repo, "heads", name, start)


async def _make_ref(access: Access, repo: Repo, kind: str, name: str, start: str) -> Response:
    oid = access.commit(repo, start)
    ref = f"refs/{kind}/{check_ref(name)}"
    if len(await work.run_read(access.store.repos.refs, repo)) >= _MAX_REFS:
        raise HttpError(400, f"{repo.name} has {_MAX_REFS:,} branches and tags already; remove some first")
    if not await work.run_write(access.store.repos.set_ref, repo, ref, oid):
        raise HttpError(409, f"Reference {name} exists already")
    return json_response({})


async def remove_ref(access: Access, repo: Repo, kind: str, name: str) -> Response:
    """Remove a branch or a tag."""
    if name == "main" and kind == "heads":
        raise HttpError(400, "The branch main cannot be removed")
    if not await work.run_write(access.store.repos.delete_ref, repo, f"refs/{kind}/{name}"):
        raise HttpError(404, f"Invalid rev id: {name[:100]}", "RevisionNotFound")
    return json_response({})
