"""Push a folder in one commit, and read back what the Hub now serves."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from zoo.errors import AuthorizationError, IntegrityError, NotFoundError, UsageError
from zoo.hub.connection import Connection, connect
from zoo.hub.credentials import way_in
from zoo.hub.failures import hub_errors
from zoo.hub.file_names import HIDDEN_FOLDERS, fault_of, shown
from zoo.hub.pull import check_repo_id
from zoo.hub.records import PulledFile, PushedRepo
from zoo.hub.retry_policy import default_retry_policy
from zoo.hub.revisions import check_tag_name
from zoo.hub.transport import Transport

if TYPE_CHECKING:
    from huggingface_hub import RepoFile

_READ_BACK = 1024 * 1024
_MAX_README = 4 * 1024 * 1024

Change = Literal["new", "changed", "unchanged", "removed"]


@dataclass(frozen=True)
class PlannedFile:
    """One file of a push, and what becomes of it."""

    name: str
    size: int
    change: Change


class Target:
    """A repo that is pushed to, as it is before the push; one that does not exist has no head."""

    def __init__(self, connection: Connection | None, repo: str) -> None:
        from huggingface_hub import HfApi

        self.repo = repo
        self.url = connection.name if connection else None
        self.local = connection is None or connection.local
        self._connection = connection
        self._api = HfApi(endpoint=connection.url, token=connection.token) if connection else None
        self.head: str | None = None
        self.private: bool | None = None
        self._listed: dict[str, RepoFile] = {}
        if self._api is not None and self._api.repo_exists(repo):
            info = self._api.repo_info(repo)
            self.head, self.private = str(info.sha), bool(info.private)
            self._listed = self._list(self.head)

    def read(self, name: str) -> bytes | None:
        """Return a small file of the repo as it is; None where there is none."""
        there = self._listed.get(name)
        if there is None or there.size > _MAX_README:
            return None
        return self._bytes(name, str(self.head), 0, there.size, there.size)

    def plan(self, folder: Path, files: list[PulledFile], replaces: tuple[str, ...] = ()) -> list[PlannedFile]:
        """Return what a push of these files would do; files of the patterns `replaces` that are not among them go."""
        changes = [PlannedFile(file.name, file.size, self._change(file, folder)) for file in files]
        return changes + [
            PlannedFile(name, there.size, "removed")
            for name, there in self._listed.items()
            if name not in {file.name for file in files} and any(Path(name).match(pattern) for pattern in replaces)
        ]

    def push(
        self,
        folder: Path,
        files: list[PulledFile],
        plan: list[PlannedFile],
        *,
        message: str,
        private: bool | None,
        tag: str | None,
        create_pr: bool,
        progress: bool,
    ) -> PushedRepo:
        """Send the plan's changes in one commit and verify what the Hub serves then."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

        assert self._api is not None and self._connection is not None, "only a dry run goes without a Hub"
        if self._connection.credentials.header is None:
            raise AuthorizationError(f"a push to {self.url} needs a token: {way_in(self._connection.url)}")
        self._check_visibility(private)
        changes = any(item.change != "unchanged" for item in plan)
        tagged = self.check_tag(tag, changes=changes)
        if self.head is None:
            self._api.create_repo(self.repo, private=private, exist_ok=True)
            self.head = str(self._api.repo_info(self.repo).sha)
        operations: list[Any] = [CommitOperationAdd(file.name, folder / file.name) for file in files]
        operations += [CommitOperationDelete(item.name) for item in plan if item.change == "removed"]
        commit, request = self.head, None
        if changes:
            enable_progress_bars() if progress else disable_progress_bars()
            try:
                made = self._api.create_commit(
                    self.repo, operations, commit_message=message, parent_commit=self.head, create_pr=create_pr
                )
            finally:
                enable_progress_bars()
            commit, request = made.oid, made.pr_url
        self._read_back(commit, files, folder)
        if tag and not tagged:
            self._api.create_tag(self.repo, tag=tag, revision=commit)
        return PushedRepo(self.repo, commit, str(self.url), tuple(files), commit != self.head, request)

    def check_tag(self, tag: str | None, *, changes: bool) -> bool:
        """Tell whether the tag is where it is wanted. Raise UsageError for one that is no name, or is elsewhere."""
        if tag is None:
            return False
        check_tag_name(tag)
        if self._api is None or self.head is None:
            return False
        at = {item.name: item.target_commit for item in self._api.list_repo_refs(self.repo).tags}.get(tag)
        if at is not None and (changes or at != self.head):
            raise UsageError(f"{self.repo} has the tag {tag} at {at[:7]} already, and tags stay; choose another --tag")
        return at is not None

    def _check_visibility(self, private: bool | None) -> None:
        if self.head is None and private is None:
            raise UsageError(f"{self.repo} does not exist yet; choose its visibility: --private or --public")
        if self.private is not None and private not in (None, self.private):
            has = "private" if self.private else "public"
            raise UsageError(f"{self.repo} is {has} already; change that in its settings, or omit the option")

    def _list(self, commit: str) -> "dict[str, RepoFile]":
        from huggingface_hub import RepoFile

        assert self._api is not None
        items = self._api.list_repo_tree(self.repo, recursive=True, revision=commit)
        return {item.path: item for item in items if isinstance(item, RepoFile)}

    def _change(self, file: PulledFile, folder: Path) -> Change:
        there = self._listed.get(file.name)
        if there is None:
            return "new"
        return "unchanged" if _same(there, file, folder) else "changed"

    def _read_back(self, commit: str, files: list[PulledFile], folder: Path) -> None:
        """Raise IntegrityError unless the Hub lists every file with its hash, and serves its beginning as it was."""
        listed = self._list(commit)
        for file in files:
            there = listed.get(file.name)
            size = min(file.size, _READ_BACK)
            fault = None
            if there is None or not _same(there, file, folder):
                fault = "is missing" if there is None else "has another hash or size"
            elif size:
                with open(folder / file.name, "rb") as opened:
                    if self._bytes(file.name, commit, 0, size, file.size) != opened.read(size):
                        fault = "begins with other bytes"
            if fault:
                raise IntegrityError(f"{self.url} serves {self.repo} not as it was sent: {file.name} {fault}")

    def _bytes(self, name: str, commit: str, start: int, stop: int, size: int) -> bytes:
        from huggingface_hub import hf_hub_url

        assert self._connection is not None
        url = str(hf_hub_url(self.repo, name, revision=commit, endpoint=self._connection.url))
        return bytes(Transport(self._connection, default_retry_policy()).part(url, start, stop, size))


@contextmanager
def push_target(repo: str, hub: str | Path | None, *, dry_run: bool = False) -> Iterator[Target]:
    """Reach a repo that may not exist yet. A Hub in a folder is made where there is none, but for a dry run."""
    check_repo_id(repo)
    if dry_run and hub is not None and "://" not in str(hub) and not (Path(hub) / "store.db").is_file():
        yield Target(None, repo)
        return
    with (
        connect(hub, create=not dry_run) as connection,
        hub_errors(repo, None, connection.name, folder=connection.folder is not None),
    ):
        yield Target(connection, repo)


def push_folder(
    folder: Path,
    repo: str,
    *,
    hub: str | Path | None = None,
    message: str,
    private: bool | None = True,
    tag: str | None = None,
    progress: bool = False,
) -> PushedRepo:
    """Send a folder's files to `namespace/name`, made when there is none. Unchanged files are not sent again.

    Hidden files and links are left out. Raise AuthorizationError without a token, and IntegrityError when the Hub then
    serves anything else than what was sent.
    """
    files = files_of(folder)
    with push_target(repo, hub) as target:
        private = private if target.head is None else None
        plan = target.plan(folder, files)
        return target.push(
            folder, files, plan, message=message, private=private, tag=tag, create_pr=False, progress=progress
        )


def files_of(folder: Path) -> list[PulledFile]:
    """Return what of a folder is pushed, hashed.

    Raise NotFoundError for an empty one, and UsageError for a name that no pull would write.
    """
    files = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") and part not in HIDDEN_FOLDERS for part in parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            if fault := fault_of("/".join(parts)):
                raise UsageError(
                    f"{folder} holds {shown('/'.join(parts))}, which {fault.value}: no pull would write it; take it out"
                )
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            files.append(PulledFile("/".join(parts), digest, path.stat().st_size))
    if not files:
        raise NotFoundError(f"no files in {folder} to push; give a run or a weights folder")
    return files


def _same(there: "RepoFile", file: PulledFile, folder: Path) -> bool:
    if there.size != file.size:
        return False
    return bool(there.lfs.sha256 == file.sha256 if there.lfs else there.blob_id == _git_id(folder / file.name))


def _git_id(path: Path) -> str:
    digest = hashlib.sha1(b"blob %d\0" % os.path.getsize(path), usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest()
