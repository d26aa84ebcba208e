"""A repo's own page: its card, pictures, scores, tags, and how to use it."""

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Response
from zoo.hub.server.pages.card import MAX_CARD, render_card
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.pages.scores import scores
from zoo.hub.server.pages.usage import usages
from zoo.hub.server.repos import Repo
from zoo.hub.server.summary import PICTURES, rank_picture

_PICTURES = 12


async def repo_page(access: Access, repo: Repo) -> Response:
    """Show what a repo is."""
    store = access.store
    root = store.trees.entries(store.commits.tree(repo, repo.head))
    summary = repo.summary
    try:
        access.check_files(repo)
        gate = None
    except HttpError as error:
        gate = str(error)
    pictures = [] if gate else _pictures(access, repo)
    refs = store.repos.refs(repo)
    readme = root.get("README.md")
    card = None
    if readme is not None and not readme.folder:
        try:
            text = store.blobs.read(readme.sha256, MAX_CARD).decode("utf-8", "replace")
            card = render_card(text, f"/{repo.web_id}", repo.head)
        except OSError:
            card = None
    return page(
        "repo.html",
        access,
        repo=repo,
        summary=summary,
        parameters=sum(summary.parameters.values()),
        revision="main",
        gate=gate,
        card=card,
        pictures=[path for path in pictures if card is None or f"/{path}" not in card],
        scores=scores(access, summary.card, root),
        usages=usages(access, repo, root),
        tags=[(name.removeprefix("refs/tags/"), oid) for name, oid in refs.items() if name.startswith("refs/tags/")],
        writer=bool(access.user and access.user.role == "write" and access.user.belongs_to(repo.namespace)),
    )


def _pictures(access: Access, repo: Repo) -> list[str]:
    files = access.store.trees.files(access.store.commits.tree(repo, repo.head))
    return sorted((path for path in files if path.lower().endswith(PICTURES)), key=rank_picture)[:_PICTURES]
