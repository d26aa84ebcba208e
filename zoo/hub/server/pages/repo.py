"""A repo's own page: its card, pictures, scores, tags, and how to use it."""

from collections.abc import Mapping
from itertools import islice

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Response
from zoo.hub.server.pages.cards import Card, Cards
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.pages.scores import scores
from zoo.hub.server.pages.usage import usages
from zoo.hub.server.repos import Repo
from zoo.hub.server.summary import PICTURES, rank_picture
from zoo.hub.server.trees import Entry

_PICTURES = 12
_LOOKED_AT = 10_000
_TAGS = 100


async def repo_page(access: Access, repo: Repo, cards: Cards) -> Response:
    """Show what a repo is."""
    store = access.store
    try:
        await access.check_files(repo)
        gate = None
    except HttpError as error:
        if error.status >= 500:
            raise
        gate = str(error)
    root = await work.run_read(lambda: store.trees.entries(store.commits.tree(repo, repo.head)))
    readme = root.get("README.md")
    card = None
    if readme is not None and not readme.folder:
        try:
            card = await cards.card(store.blobs, readme, f"/{repo.web_id}", repo.head)
        except OSError:
            card = None
    return await work.run_read(_page, access, repo, root, card, gate)


def _page(access: Access, repo: Repo, root: Mapping[str, Entry], card: Card | None, gate: str | None) -> Response:
    summary = repo.summary
    shown = card.html if card and card.html else ""
    tags = [
        (name.removeprefix("refs/tags/"), oid)
        for name, oid in access.store.repos.refs(repo).items()
        if name.startswith("refs/tags/")
    ]
    return page(
        "repo.html",
        access,
        repo=repo,
        summary=summary,
        parameters=sum(summary.parameters.values()),
        revision="main",
        gate=gate,
        card=card,
        pictures=[] if gate else [path for path in _pictures(access, repo) if f"/{path}" not in shown],
        scores=scores(access.store, summary.card, root),
        usages=usages(access, repo, root),
        tags=tags[:_TAGS],
        more_tags=max(0, len(tags) - _TAGS),
    )


def _pictures(access: Access, repo: Repo) -> list[str]:
    """Return the pictures that show best what a model does, among the files that come first."""
    walked = access.store.trees.walk(access.store.commits.tree(repo, repo.head))
    paths = [path for path, entry in islice(walked, _LOOKED_AT) if not entry.folder]
    return sorted((path for path in paths if path.lower().endswith(PICTURES)), key=rank_picture)[:_PICTURES]
