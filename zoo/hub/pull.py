"""Pull a repo: one commit for all files, every byte hashed while it comes, nothing visible before it is right.

Files go to the Hugging Face cache in its own layout, so that other tools see the same ones and nothing is stored twice.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError, UsageError
from zoo.files import inside, new_folder, storage_errors
from zoo.hub.cache import Cache
from zoo.hub.connection import Connection, connect
from zoo.hub.download import Download
from zoo.hub.failures import hub_errors
from zoo.hub.file_names import GIT_ATTRIBUTES, clashing, fault_of, shown
from zoo.hub.lease import Lease
from zoo.hub.listing import Expected, FileSelection, all_files, resolve_commit, wanted_files
from zoo.hub.offline import pulled_before
from zoo.hub.partial import check_space, digests_of
from zoo.hub.records import PulledFile, PulledRepo, WantedFile
from zoo.hub.retry_policy import RetryPolicy, default_retry_policy
from zoo.hub.revisions import check_revision
from zoo.hub.selection import SIGNATURE_FILE, Selection, select, signed_in
from zoo.hub.transport import Transport


def pull_repo(
    repo: str,
    *,
    revision: str | None = None,
    hub: str | Path | None = None,
    selection: FileSelection | None = None,
    to: Path | None = None,
    offline: bool = False,
    policy: RetryPolicy | None = None,
    progress: bool = False,
) -> PulledRepo:
    """Fetch a repo's files, or a selection of them, and verify them by size and hash.

    With `to` plain files are put into that folder, which must not exist. A commit complete in the cache asks no
    Hub; with `offline` nothing does. Raise NotFoundError, AuthorizationError, NetworkError, StorageError, or
    IntegrityError with nothing left behind that could be taken for the file.
    """
    from huggingface_hub import constants

    check_repo_id(repo)
    if revision is not None:
        check_revision(revision, repo)
    selection = selection or FileSelection()
    selection = replace(selection, expected=_checked(selection.expected, repo))
    if to is not None and to.exists() and any(to.iterdir()):
        raise UsageError(f"{to} exists and is not empty; choose another folder for --to")
    cache = Cache(repo)
    offline = offline or constants.is_offline_mode()
    if offline:
        pulled = pulled_before(cache, revision, selection)
    elif (found := cache.complete(revision, selection) if revision is not None else None) is not None:
        pulled = found
    else:
        with (
            connect(hub) as connection,
            hub_errors(repo, revision, connection.name, folder=connection.folder is not None),
        ):
            pull = _Pull(cache, connection, policy or default_retry_policy(), progress)
            pulled = pull.run(revision, selection)
    return pulled if to is None else _copy(pulled, to)


def list_repo(repo: str, *, revision: str, hub: str | Path | None = None, expected: Expected) -> list[WantedFile]:
    """Return what a repo holds of files at a revision, by the Hub's list. Raise IntegrityError for other ones."""
    check_repo_id(repo)
    check_revision(revision, repo)
    expected = _checked(expected, repo)
    with connect(hub) as connection, hub_errors(repo, revision, connection.name, folder=connection.folder is not None):
        transport = Transport(connection, default_retry_policy())
        commit = resolve_commit(transport, connection.url, repo, revision)
        return wanted_files(transport, connection.url, repo, commit, FileSelection(expected=expected))


def _checked(expected: Expected, repo: str) -> Expected:
    """Return which files are expected. Raise IntegrityError for names that are never written."""
    expected = {name: right for name, right in expected.items() if name != GIT_ATTRIBUTES}
    if clash := sorted(clashing(expected)):
        raise IntegrityError(f"{shown(clash[0])} is expected of {repo}, beside another name for it; keep one of them")
    for name in expected:
        if fault := fault_of(name):
            raise IntegrityError(
                f"{shown(name)} is expected of {repo}, which {fault.value}; take it out of the registry or lock file"
            )
    return expected


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


class _Pull:
    """Fetch what is missing of a repo into the cache."""

    def __init__(self, cache: Cache, connection: Connection, policy: RetryPolicy, progress: bool) -> None:
        self._cache = cache
        self._url = connection.url
        self._transport = Transport(connection, policy)
        self._progress = progress

    def run(self, revision: str | None, wanted: FileSelection) -> PulledRepo:
        """Fetch what is wanted, and make it visible under its commit."""
        cache, url, repo = self._cache, self._url, self._cache.repo
        commit = resolve_commit(self._transport, url, repo, revision)
        if (known := cache.complete(commit, wanted)) is not None:
            cache.point(revision, commit)
            return known
        if wanted.by_name:
            items = wanted_files(self._transport, url, repo, commit, wanted)
            listed, chosen = None, Selection(tuple(item.name for item in items))
        else:
            items = all_files(self._transport, url, repo, commit, wanted.expected)
            listed = tuple(item.name for item in items)
            signature = [item for item in items if item.name == SIGNATURE_FILE and not wanted.everything]
            self._obtain(commit, signature)
            signed = {name for item in signature for name in signed_in(cache.blobs / item.etag)}
            chosen = select(listed, signed, everything=wanted.everything)
            kept = set(chosen.kept)
            items = [item for item in items if item.name in kept]
        hashes = self._obtain(commit, items)
        files = tuple(PulledFile(item.name, hashes[item.etag], item.size) for item in items)
        folder = cache.publish(commit, revision, items, files, url, listed=listed, beside=wanted.beside)
        return PulledRepo(repo, commit, folder, files, url, chosen.unusual, chosen.forbidden)

    def _obtain(self, commit: str, items: list[WantedFile]) -> dict[str, str]:
        """Have these files among the blobs; return the sha256 of each by its name there."""
        hashes = self._present(items)
        if any(item.etag not in hashes for item in items):
            self._cache.to_write("blobs/any")
            with Lease(self._cache.lease(commit)):
                hashes |= self._present([item for item in items if item.etag not in hashes])
                hashes |= self._download(commit, [item for item in items if item.etag not in hashes])
        return hashes

    def _present(self, items: list[WantedFile]) -> dict[str, str]:
        """Return the sha256 of the files that are in the cache and right, whoever put them there."""
        found = {}
        for item in {item.etag: item for item in items}.values():
            blob = self._cache.blobs / item.etag
            if blob.is_file() and blob.stat().st_size == item.size:
                digests = digests_of(blob, item)
                if digests.right():
                    found[item.etag] = digests.sha256()
        return found

    def _download(self, commit: str, items: list[WantedFile]) -> dict[str, str]:
        from huggingface_hub import hf_hub_url
        from tqdm import tqdm

        repo = self._cache.repo

        def address(name: str) -> str:
            return str(hf_hub_url(repo, name, revision=commit, endpoint=self._url))

        missing = list({item.etag: item for item in items}.values())
        check_space(self._cache.blobs, missing, repo)
        bar: Any = tqdm(
            total=sum(item.size for item in missing),
            desc=repo,
            unit="B",
            unit_scale=True,
            disable=None if self._progress else True,  # None: only where nobody watches
            leave=False,
        )
        with bar:
            return Download(self._transport, self._cache.blobs, address, bar.update, repo).run(missing)


def _copy(pulled: PulledRepo, to: Path) -> PulledRepo:
    """Put plain files into a folder, all or none."""
    import shutil

    with storage_errors(f"writing {to}"), new_folder(to) as temporary:
        for file in pulled.files:
            target = inside(temporary, file.name, follow=False)
            assert target is not None, "names were checked where they came in"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pulled.folder / file.name, target)
    return replace(pulled, folder=to)
