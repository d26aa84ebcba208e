"""Pages of copies: the files that they show are here before they are made, and came from upstream."""

from collections.abc import Iterator

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request
from zoo.hub.server.repos import Repo
from zoo.hub.server.trees import Entry
from zoo.hub.server.upstream import Upstream
from zoo.hub.server.upstream_names import named

_SHOWN = ("README.md", "config.json")
_RESULTS = ".eval_results"
_MOST_RESULTS = 20
_LARGEST = 32 * 1024 * 1024


async def prepare(upstream: Upstream | None, access: Access, request: Request) -> None:
    """Have the files here that a page of a copy shows.

    Raise HttpError where one is not that may be somebody's here: that upstream lists its hash is no right to it.
    """
    if request.method not in ("GET", "HEAD") or request.segments[:1] == ["api"] or (found := named(request)) is None:
        return
    type_, name, revision = found
    route = request.segments[2:] if request.segments[0] != type_ else request.segments[3:]
    repo = access.store.repos.find(type_, name)
    if repo is None or not repo.upstream or (route and route[0] not in ("blob", "picture")):
        return
    access.repo(type_, name)
    commit = access.store.repos.resolve(repo, revision)
    for path, entry in _shown(access, repo, commit, "/".join(route[2:])) if commit else ():
        try:
            access.store.blobs.open_fetched(entry.sha256).close()
        except OSError:
            if upstream is not None and upstream.serves(repo) and entry.size <= _LARGEST:
                await upstream.files.have(repo, str(commit), path, entry)
            elif entry.lfs:
                raise HttpError(404, f"The bytes of {path} are not here; they come when it is downloaded") from None


def _shown(access: Access, repo: Repo, commit: str, path: str) -> Iterator[tuple[str, Entry]]:
    trees, root = access.store.trees, access.store.commits.tree(repo, commit)
    results = trees.find(root, _RESULTS)
    measured = [f"{_RESULTS}/{name}" for name in trees.entries(results.oid)] if results and results.folder else []
    for shown in [path] if path else [*_SHOWN, *measured[:_MOST_RESULTS]]:
        entry = trees.find(root, shown)
        if entry is not None and not entry.folder:
            yield shown, entry
