"""What changed, commit by commit."""

from dataclasses import dataclass

from zoo.hub.server.access import Access
from zoo.hub.server.commits import Commit
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.repos import Repo
from zoo.hub.server.trees import Entry, Trees

_PAGE = 30
_SHOWN = 500


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


def differences(trees: Trees, before: str | None, after: str, prefix: str = "") -> list[Difference]:
    """Return the files that differ between two trees; folders alike are not looked into."""
    if before == after:
        return []
    old = trees.entries(before) if before else {}
    new = trees.entries(after)
    found: list[Difference] = []
    for name in sorted({*old, *new}):
        left, right, path = old.get(name), new.get(name), prefix + name
        if left == right:
            continue
        for entry, other in ((left, right), (right, left)):
            if entry is not None and entry.folder and not (other is not None and other.folder and entry is right):
                both = other is not None and other.folder
                inner = trees.files(entry.oid) if not both else {}
                changes = [
                    Difference(f"{path}/{below}", *((item, None) if entry is left else (None, item)))
                    for below, item in inner.items()
                ]
                found += differences(trees, entry.oid, other.oid, f"{path}/") if both and other else changes
        left_file = left if left is not None and not left.folder else None
        right_file = right if right is not None and not right.folder else None
        if left_file or right_file:
            found.append(Difference(path, left_file, right_file))
    return found


async def history_page(access: Access, request: Request, repo: Repo, revision: str) -> Response:
    """List commits, newest first, with how much each changed."""
    store = access.store
    oid = access.commit(repo, revision)
    number = request.number("p", 0)
    history = store.commits.history(repo, oid, _PAGE + 1, number * _PAGE)
    parents: list[Commit | None] = [*history[1:], None]
    tags: dict[str, list[str]] = {}
    for ref, target in store.repos.refs(repo).items():
        tags.setdefault(target, []).append(ref.split("/", 2)[2])
    rows = []
    for commit, parent in zip(history[:_PAGE], parents, strict=False):
        kinds = [item.kind for item in differences(store.trees, parent.tree if parent else None, commit.tree)]
        rows.append((commit, {kind: kinds.count(kind) for kind in ("added", "changed", "removed")}))
    return page(
        "history.html",
        access,
        repo=repo,
        revision=revision,
        rows=rows,
        tags=tags,
        following=number + 1 if len(history) > _PAGE else None,
    )


async def commit_page(access: Access, repo: Repo, oid: str) -> Response:
    """Show what one commit changed."""
    store = access.store
    if store.repos.resolve(repo, oid) != oid:
        raise HttpError(404, f"Invalid rev id: {oid[:100]}", "RevisionNotFound")
    commit, *rest = store.commits.history(repo, oid, 2)
    found = differences(store.trees, rest[0].tree if rest else None, commit.tree)
    return page(
        "commit.html",
        access,
        repo=repo,
        revision=oid,
        commit=commit,
        differences=found[:_SHOWN],
        hidden=max(0, len(found) - _SHOWN),
    )
