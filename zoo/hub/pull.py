"""Pull a repo: one commit for all files, every byte hashed while it comes, nothing visible before it is right.

Files go to the Hugging Face cache in its own layout, so that other tools see the same ones and nothing is stored twice.
"""

from pathlib import Path
from typing import Any

from zoo.errors import NotFoundError, UsageError
from zoo.files import new_folder, storage_errors
from zoo.hub.cache import Cache
from zoo.hub.connection import Connection, connect
from zoo.hub.download import Download
from zoo.hub.failures import hub_errors
from zoo.hub.lease import Lease
from zoo.hub.listing import Expected, resolve_commit, wanted_files
from zoo.hub.partial import digests_of
from zoo.hub.patience import Patience, default_patience
from zoo.hub.records import PulledFile, PulledRepo, WantedFile
from zoo.hub.transport import Transport


def pull_repo(
    repo: str,
    *,
    revision: str | None = None,
    hub: str | Path | None = None,
    expected: Expected | None = None,
    only: tuple[str, ...] = (),
    beside: tuple[str, ...] = (),
    to: Path | None = None,
    offline: bool = False,
    patience: Patience | None = None,
    progress: bool = False,
) -> PulledRepo:
    """Fetch a repo's files and verify them by size and hash.

    `expected` gives (sha256, size) of the files to fetch, which win over what the Hub says, and no others but those
    `beside`, where the repo has them at this commit. `only` names files whose hashes the Hub's list gives. With `to`
    plain files are put into that folder, which must not exist. A commit complete in the cache asks no Hub; with
    `offline` nothing does. Raise NotFoundError, AuthorisationError, NetworkError, StorageError, or IntegrityError with
    nothing left behind that could be taken for the file.
    """
    from huggingface_hub import constants

    check_repo_id(repo)
    if to is not None and to.exists() and any(to.iterdir()):
        raise UsageError(f"{to} exists and is not empty; choose another folder for --to")
    cache = Cache(repo)
    offline = offline or constants.is_offline_mode()
    commit = cache.commit_of(revision or "main") if offline else revision
    pulled = cache.complete(commit, expected, only, beside) if commit else None
    if pulled is None and offline:
        at = f" at {revision}" if revision else ""
        raise NotFoundError(
            f"{repo}{at} is not in the cache, and --offline forbids the network; pull it without --offline"
        )
    if pulled is None:
        with connect(hub) as connection, hub_errors(repo, revision, connection.url):
            pulled = _fetch(
                cache, connection, revision, expected, only, beside, patience or default_patience(), progress
            )
    return pulled if to is None else _copy(pulled, to)


def list_repo(
    repo: str, *, revision: str, hub: str | Path | None = None, expected: Expected | None = None
) -> list[WantedFile]:
    """Return what a repo holds at a revision, as the Hub lists it. Raise IntegrityError for what is not expected."""
    check_repo_id(repo)
    with connect(hub) as connection, hub_errors(repo, revision, connection.url):
        transport = Transport(connection, default_patience())
        commit = resolve_commit(transport, connection.url, repo, revision)
        return wanted_files(transport, connection.url, repo, commit, expected)


def check_repo_id(repo: str) -> None:
    """Raise UsageError unless this is `namespace/name` as the Hub allows it."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise UsageError(f"{repo[:120]!r} is not a repo id; write namespace/name") from None
    if repo.count("/") != 1:
        raise UsageError(f"{repo!r} has no namespace; write namespace/name")


def _fetch(
    cache: Cache,
    connection: Connection,
    revision: str | None,
    expected: Expected | None,
    only: tuple[str, ...],
    beside: tuple[str, ...],
    patience: Patience,
    progress: bool,
) -> PulledRepo:
    transport = Transport(connection, patience)
    commit = resolve_commit(transport, connection.url, cache.repo, revision)
    wanted = wanted_files(transport, connection.url, cache.repo, commit, expected, only, beside)
    hashes = _present(cache, wanted)
    if any(item.etag not in hashes for item in wanted):
        with Lease(cache.lease(commit)):
            hashes |= _present(cache, [item for item in wanted if item.etag not in hashes])
            hashes |= _download(cache, connection, transport, commit, wanted, hashes, progress)
    files = tuple(PulledFile(item.name, hashes[item.etag], item.size) for item in wanted)
    whole = expected is None and not only
    return cache.publish(commit, revision, wanted, files, connection.url, whole=whole, beside=beside)


def _present(cache: Cache, wanted: list[WantedFile]) -> dict[str, str]:
    """Return the sha256 of the files that are in the cache and right, whoever put them there."""
    found = {}
    for item in {item.etag: item for item in wanted}.values():
        blob = cache.blobs / item.etag
        if blob.is_file() and blob.stat().st_size == item.size:
            digests = digests_of(blob, item)
            if digests.right():
                found[item.etag] = digests.sha256()
    return found


def _download(
    cache: Cache,
    connection: Connection,
    transport: Transport,
    commit: str,
    wanted: list[WantedFile],
    present: dict[str, str],
    progress: bool,
) -> dict[str, str]:
    from huggingface_hub import hf_hub_url
    from tqdm import tqdm

    def address(name: str) -> str:
        return str(hf_hub_url(cache.repo, name, revision=commit, endpoint=connection.url))

    missing = list({item.etag: item for item in wanted if item.etag not in present}.values())
    bar: Any = tqdm(
        total=sum(item.size for item in missing),
        desc=cache.repo,
        unit="B",
        unit_scale=True,
        disable=None if progress else True,  # None: only where nobody watches
        leave=False,
    )
    with bar:
        return Download(transport, cache.blobs, address, bar.update, cache.repo).run(missing)


def _copy(pulled: PulledRepo, to: Path) -> PulledRepo:
    """Put plain files into a folder, all or none."""
    import shutil

    with storage_errors(f"writing {to}"), new_folder(to) as temporary:
        for file in pulled.files:
            target = temporary / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pulled.folder / file.name, target)
    return PulledRepo(pulled.repo, pulled.commit, to, pulled.files, pulled.url)
