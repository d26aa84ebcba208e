"""Bring whole repos of another Hub into a Hub's folder, with their commits, branches and tags, under the same ids.

They are what a Hub with an upstream keeps of what is asked for, only that all of it is asked for: what is there already
is not fetched again, and an import that was interrupted goes on where it was.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import UsageError
from zoo.hub.connection import Connection, connect
from zoo.hub.credentials import PUBLIC
from zoo.hub.failures import hub_errors
from zoo.hub.listing import Item, listed_items
from zoo.hub.pull import check_repo_id
from zoo.hub.retry_policy import default_retry_policy
from zoo.hub.revisions import check_revision
from zoo.hub.transport import Transport
from zoo.hub.workers import Workers

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_AT_ONCE = 4


@dataclass(frozen=True)
class Wanted:
    """A repo to import: a revision with what came before it, or every branch and tag."""

    kind: str
    repo: str
    revision: str | None

    @property
    def type(self) -> str:
        """Return the word that stands for the kind in addresses."""
        return f"{self.kind}s"


@dataclass(frozen=True)
class Imported:
    """What a repo has now: how many revisions and commits, and the files of them."""

    wanted: Wanted
    revisions: int
    commits: int
    files: int
    bytes: int


def wanted_repo(text: str) -> Wanted:
    """Return what `[hf://][datasets/]NAMESPACE/NAME[@REVISION]` names. Raise UsageError for anything else."""
    name, at, revision = text.removeprefix("hf://").partition("@")
    kind = "dataset" if name.startswith("datasets/") else "model"
    check_repo_id(name := name.removeprefix("datasets/"))
    return Wanted(kind, name, check_revision(revision, name) if at else None)


def import_repos(
    folder: Path,
    repos: Sequence[str],
    source: str | Path | None = None,
    *,
    token: str | None = None,
    history: int | None = None,
    done: Callable[[Imported], None] = lambda _: None,
) -> list[Imported]:
    """Bring repos into a Hub's folder, which is made where there is none.

    They come from the public Hub, or from another address or folder. Of their branches and tags every file comes, and
    up to `history` commits of each are there by name and list, all of them by default. Raise UsageError where the
    folder has a repo of that name of its own.
    """
    from huggingface_hub import HfApi

    from zoo.hub.server.options import Options, UpstreamOptions
    from zoo.hub.server.serving import serve_folder

    wanted = [wanted_repo(repo) for repo in repos]
    results = []
    with connect(source or PUBLIC, token=token) as connection:
        upstream = UpstreamOptions(
            url=connection.url, name=connection.name, token=connection.credentials.token or None, fresh_seconds=0
        )
        with serve_folder(folder, options=Options(upstream=upstream)) as hub, connect(hub.url, token=hub.token) as here:
            api = HfApi(endpoint=hub.url, token=hub.token)
            for item in wanted:
                with hub_errors(item.repo, item.revision, connection.name):
                    _check_free(folder, item, connection.name)
                    results.append(_import(api, here, folder, item, history))
                done(results[-1])
    return results


def _check_free(folder: Path, wanted: Wanted, source: str) -> None:
    from zoo.hub.server.store import Store

    with closing(Store(folder)) as store:
        repo = store.repos.find(wanted.type, wanted.repo)
    if repo is not None and repo.upstream != source:
        whose = f"a copy of that on {repo.upstream}" if repo.upstream else "a repo of its own"
        raise UsageError(f"{folder} has {whose} called {wanted.repo}; delete or move that first")


def _import(api: "HfApi", here: Connection, folder: Path, wanted: Wanted, history: int | None) -> Imported:
    refs = api.list_repo_refs(wanted.repo, repo_type=wanted.kind)
    tags = [tag.name for tag in refs.tags]
    revisions = [wanted.revision] if wanted.revision else ["main", *(branch.name for branch in refs.branches), *tags]
    heads, lines = {}, []
    for revision in dict.fromkeys(revisions):
        check_revision(revision, wanted.repo)
        heads[revision] = str(api.repo_info(wanted.repo, repo_type=wanted.kind, revision=revision).sha)
        found = api.list_repo_commits(wanted.repo, repo_type=wanted.kind, revision=revision)[:history]
        for commit in found:
            api.repo_info(wanted.repo, repo_type=wanted.kind, revision=commit.commit_id)
        lines.append(
            [
                (commit.commit_id, (commit.authors or [""])[0], commit.title, commit.message, commit.created_at)
                for commit in found
            ]
        )
    files, size = _fetch(here, wanted, set(heads.values()))
    from zoo.hub.server.store import Store
    from zoo.hub.server.upstream_copies import note_history

    with closing(Store(folder)) as store:
        commits = note_history(store, wanted.type, wanted.repo, lines, [tag for tag in tags if tag in heads])
    return Imported(wanted, len(heads), commits, files, size)


def _fetch(here: Connection, wanted: Wanted, commits: set[str]) -> tuple[int, int]:
    """Ask for every file of some commits, each once; return how many there are, and their bytes."""
    from huggingface_hub import hf_hub_url

    transport = Transport(here, default_retry_policy())
    files: dict[str, tuple[str, Item]] = {}
    for commit in sorted(commits):
        for item in listed_items(transport, here.url, wanted.repo, commit, wanted.type):
            files.setdefault(item.lfs.oid if item.lfs else item.oid, (commit, item))

    def fetch(commit: str, item: Item) -> int:
        url = hf_hub_url(wanted.repo, item.path, repo_type=wanted.kind, revision=commit, endpoint=here.url)
        failures = 0
        while True:
            try:
                return sum(map(len, transport.whole(url, item.lfs.size if item.lfs else item.size)))
            except Exception as error:
                failures += 1
                transport.pause(error, failures)

    with Workers(_AT_ONCE, "zoo-import") as workers:
        jobs = [workers.submit(partial(fetch, *pair)) for pair in files.values()]
        return len(files), sum(job.result() for job in jobs)
