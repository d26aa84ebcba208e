"""What is in the Hugging Face cache, commit by commit, whoever put it there."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError
from zoo.hub.cache import Cache
from zoo.hub.lease import is_idle
from zoo.hub.owner import is_gone
from zoo.hub.partial import leftovers
from zoo.hub.records import PulledRepo


@dataclass(frozen=True)
class CachedCommit:
    """One commit of a repo: its bytes, its refs, and what Zoo verified of it; None where others put it there."""

    repo: str
    commit: str
    size: int
    files: int
    refs: tuple[str, ...]
    verified: PulledRepo | None


@dataclass(frozen=True)
class Removal:
    """What would be, or was, removed."""

    commits: tuple[CachedCommit, ...]
    leftovers: tuple[Path, ...]
    size: int


def cached_commits() -> list[CachedCommit]:
    """Return every commit of a model that is in the cache, by repo."""
    found = []
    for repo in _scan():
        cache = Cache(repo.repo_id)
        for revision in repo.revisions:
            commit = str(revision.commit_hash)
            found.append(
                CachedCommit(
                    repo.repo_id,
                    commit,
                    int(revision.size_on_disk),
                    int(revision.nb_files),
                    tuple(sorted(revision.refs)),
                    cache.pulled(commit),
                )
            )
    return sorted(found, key=lambda item: (item.repo, item.commit))


def remove_commits(commits: Iterable[CachedCommit], *, with_leftovers: bool = False, dry_run: bool = False) -> Removal:
    """Remove commits and the bytes that no other one needs; with `with_leftovers` also what dead pulls left."""
    from huggingface_hub import constants, scan_cache_dir

    chosen = tuple(commits)
    size = 0
    for item in chosen:
        _check_links(Cache(item.repo), item.commit)
    if chosen:
        strategy = scan_cache_dir(constants.HF_HUB_CACHE).delete_revisions(*(item.commit for item in chosen))
        size = int(strategy.expected_freed_size)
        if not dry_run:
            strategy.execute()
            for item in chosen:
                Cache(item.repo).forget(item.commit)
    left = tuple(_dead_leftovers()) if with_leftovers else ()
    size += sum(path.lstat().st_size for path in left)
    if not dry_run:
        for path in left:
            path.unlink(missing_ok=True)
    return Removal(chosen, left, size)


def _check_links(cache: Cache, commit: str) -> None:
    """Raise IntegrityError where a commit's links lead out of its repo: what they lead to would be removed."""
    snapshot = cache.to_write(f"snapshots/{commit}/any").parent
    blobs = os.path.realpath(cache.to_write("blobs/any").parent)
    cache.to_write("refs/any")
    for path in snapshot.rglob("*"):
        if path.is_symlink() and os.path.realpath((path.parent / os.readlink(path)).parent) != blobs:
            raise IntegrityError(
                f"{path} is a link out of {cache.folder}, which nothing pulled made; remove it by hand"
            )


def _dead_leftovers() -> Iterator[Path]:
    """Yield files that were on their way when their process died, and the leases of such processes."""
    from huggingface_hub import constants

    for folder in sorted(Path(constants.HF_HUB_CACHE).glob("models--*")):
        blobs, own = folder / "blobs", folder / "zoo"
        if folder.is_symlink() or blobs.is_symlink() or own.is_symlink():
            continue
        yield from (path for path, _, owner in leftovers(blobs) if is_gone(owner))
        yield from (path for path in own.glob("*.lease") if is_idle(path))


def _scan() -> list[Any]:
    from huggingface_hub import CacheNotFound, constants, scan_cache_dir

    try:
        return [repo for repo in scan_cache_dir(constants.HF_HUB_CACHE).repos if repo.repo_type == "model"]
    except CacheNotFound:
        return []
