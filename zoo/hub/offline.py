"""Find a repo in the cache without asking a Hub, whoever put it there, and say what is there where it is not enough."""

from collections.abc import Iterator
from pathlib import Path

from zoo.errors import IntegrityError, NotFoundError
from zoo.hub.cache import Cache
from zoo.hub.file_names import shown
from zoo.hub.listing import FileSelection
from zoo.hub.partial import digests_of
from zoo.hub.records import PulledFile, PulledRepo, WantedFile
from zoo.hub.revisions import is_commit
from zoo.hub.selection import SIGNATURE_FILE, select, signed_in

_NAMED = 5


def pulled_before(cache: Cache, revision: str | None, selection: FileSelection) -> PulledRepo:
    """Return a commit that is in the cache, every byte of it verified.

    Raise NotFoundError, or IntegrityError for bytes that are wrong, with what is there and why it is not taken.
    """
    commit = cache.commit_of(revision or "main")
    if commit is None:
        raise NotFoundError(_unknown(cache, revision))
    pulled = cache.complete(commit, selection) or _by_others(cache, commit, selection)
    if pulled is None:
        raise NotFoundError(_unknown(cache, revision))
    return pulled


def _by_others(cache: Cache, commit: str, selection: FileSelection) -> PulledRepo | None:
    """Return what another program put into the cache, hashed; its blobs are named by what they must be."""
    snapshot = cache.folder / "snapshots" / commit
    names = sorted(_names(snapshot))
    if not names:
        return None
    wanted = [*selection.expected, *selection.only] if selection.by_name else []
    if missing := [name for name in wanted if name not in names]:
        raise NotFoundError(
            f"{cache.repo} at {commit[:7]} is in the cache without {_listed(missing)}; pull it without --offline"
        )
    beside = [name for name in selection.beside if name in names]
    chosen = select(names, signed_in(snapshot / SIGNATURE_FILE), everything=selection.everything)
    files = [_hashed(cache, snapshot, name, selection) for name in ([*wanted, *beside] or chosen.kept)]
    left = () if wanted else chosen.unusual
    return PulledRepo(cache.repo, commit, snapshot, tuple(files), "", left, () if wanted else chosen.forbidden)


def _names(snapshot: Path) -> Iterator[str]:
    """Yield what lies in a snapshot, and links whose file is gone among it."""
    for path in snapshot.rglob("*"):
        if path.is_file() or path.is_symlink():
            yield path.relative_to(snapshot).as_posix()


def _hashed(cache: Cache, snapshot: Path, name: str, selection: FileSelection) -> PulledFile:
    path = snapshot / name
    what = f"{shown(name)} of {cache.repo} at {snapshot.name[:7]}"
    blob = path.resolve()
    if not path.is_symlink() or blob.parent != cache.blobs.resolve():
        raise NotFoundError(f"{what} is in the cache under no hash that tells its bytes; pull it without --offline")
    if not blob.is_file():
        raise NotFoundError(
            f"{what} is in the cache as a name alone, and its bytes are gone; pull it without --offline"
        )
    sha256, size = selection.expected.get(name, (blob.name if len(blob.name) == 64 else None, blob.stat().st_size))
    digests = digests_of(blob, WantedFile(name, size, blob.name, sha256))
    if not digests.right():
        raise IntegrityError(
            f"{what} is in the cache with {digests.size:,} bytes that are not those its name promises: it was cut off "
            "or changed; pull it without --offline"
        )
    return PulledFile(name, digests.sha256(), size)


def _unknown(cache: Cache, revision: str | None) -> str:
    """Say why nothing is taken, and what is there."""
    at = f" at {revision}" if revision else ""
    what = f"{cache.repo}{at} is not in the cache, and --offline forbids the network"
    commit = cache.commit_of(revision or "main")
    if commit is not None and (fault := cache.fault(commit)):
        return f"{cache.repo}{at} is in the cache, but {fault}; pull it without --offline"
    there = sorted(path.name for path in (cache.folder / "snapshots").glob("*") if is_commit(path.name))
    if there and commit is None:
        return (
            f"{what}; what is there of {cache.repo} is {_listed(there)}: give hf://{cache.repo}@{there[0]}, or pull it "
            "without --offline"
        )
    return f"{what}; pull it without --offline"


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
