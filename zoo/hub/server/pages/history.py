"""What changed, commit by commit."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.commits import Commit
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.repos import Repo
from zoo.hub.server.routes_trees import checked_skip
from zoo.hub.server.trees import Entry, Trees

_PAGE = 30
_SHOWN = 500
_COMPARED = 50_000  # names, on one page
_TAGS = 20


@dataclass(frozen=True)
class Difference:
    """One file that a commit put in, changed or took out."""

    path: str
    before: Entry | None
    after: Entry | None

    @property
    def kind(self) -> str:
        """Return what happened to it."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def differences(trees: Trees, before: str | None, after: str | None, prefix: str = "") -> Iterator[Difference | None]:
    """Yield the files that differ between two trees, and None for every name alike: each is one step of work.

    Folders alike are not looked into.
    """
    if before == after:
        return
    work.check()
    old = trees.entries(before) if before else {}
    new = trees.entries(after) if after else {}
    for name in chain(new, (name for name in old if name not in new)):
        left, right, path = old.get(name), new.get(name), prefix + name
        if left == right:
            yield None
            continue
        left_folder, right_folder = (entry.oid if entry and entry.folder else None for entry in (left, right))
        yield from differences(trees, left_folder, right_folder, f"{path}/")
        left_file, right_file = (entry if entry and not entry.folder else None for entry in (left, right))
        yield Difference(path, left_file, right_file) if left_file or right_file else None


def history_page(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """List commits, newest first, with how much each changed."""
    store = access.store
    oid = access.commit(repo, revision)
    number = request.number("p", 0)
    history = store.commits.history(repo, oid, _PAGE + 1, checked_skip(number * _PAGE))
    parents: list[Commit | None] = [*history[1:], None]
    tags: dict[str, list[str]] = {}
    for ref, target in store.repos.refs(repo).items():
        if len(names := tags.setdefault(target, [])) < _TAGS:
            names.append(ref.split("/", 2)[2])
    rows = []
    left = _COMPARED
    for commit, parent in zip(history[:_PAGE], parents, strict=False):
        steps = list(islice(differences(store.trees, parent.tree if parent else None, commit.tree), left + 1))
        kinds = [step.kind for step in steps[:left] if step]
        counts = {kind: kinds.count(kind) for kind in ("added", "changed", "removed")}
        rows.append((commit, counts, len(steps) > left))
        left = max(0, left - len(steps))
    return page(
        "history.html",
        access,
        repo=repo,
        revision=revision,
        rows=rows,
        tags=tags,
        following=number + 1 if len(history) > _PAGE else None,
    )


def commit_page(access: Access, repo: Repo, oid: str) -> Response:
    """Show what one commit changed."""
    store = access.store
    if store.repos.resolve(repo, oid) != oid:
        raise HttpError(404, f"Invalid rev id: {oid[:100]}", "RevisionNotFound")
    commit, *rest = store.commits.history(repo, oid, 2)
    steps = list(islice(differences(store.trees, rest[0].tree if rest else None, commit.tree), _COMPARED + 1))
    found = sorted((step for step in steps[:_COMPARED] if step), key=lambda step: step.path)
    return page(
        "commit.html",
        access,
        repo=repo,
        revision=oid,
        commit=commit,
        differences=found[:_SHOWN],
        hidden=max(0, len(found) - _SHOWN),
        cut=len(steps) > _COMPARED,
    )
