"""Push a folder in one commit, and read back what the Hub now serves."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.errors import AuthorisationError, IntegrityError, NotFoundError
from zoo.hub.connection import connect
from zoo.hub.failures import hub_errors
from zoo.hub.pull import check_repo_id
from zoo.hub.records import PulledFile, PushedRepo

if TYPE_CHECKING:
    from huggingface_hub import HfApi


def push_folder(
    folder: Path,
    repo: str,
    *,
    hub: str | Path | None = None,
    message: str,
    private: bool = True,
    tag: str | None = None,
    progress: bool = False,
) -> PushedRepo:
    """Send a folder's files to `namespace/name`, made when there is none. Unchanged files are not sent again.

    Hidden files and links are left out. Raise AuthorisationError without a token, and IntegrityError when the Hub then
    serves anything else than what was sent.
    """
    check_repo_id(repo)
    files = _files(folder)
    with connect(hub, create=True) as connection, hub_errors(repo, None, connection.url):
        from huggingface_hub import CommitOperationAdd, HfApi, get_token
        from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

        if connection.token is None and get_token() is None:
            raise AuthorisationError(f"a push to {connection.url} needs a token: run `hf auth login`, or set HF_TOKEN")
        api = HfApi(endpoint=connection.url, token=connection.token)
        api.create_repo(repo, private=private, exist_ok=True)
        before = api.repo_info(repo).sha
        if _differing(api, repo, str(before), files, folder) is None:
            commit = str(before)
        else:
            operations = [CommitOperationAdd(file.name, folder / file.name) for file in files]
            enable_progress_bars() if progress else disable_progress_bars()
            try:
                commit = api.create_commit(repo, operations, commit_message=message, parent_commit=before).oid
            finally:
                enable_progress_bars()
        if fault := _differing(api, repo, commit, files, folder):
            raise IntegrityError(f"{connection.url} serves {repo} otherwise than it was sent: {fault}; push again")
        if tag:
            api.create_tag(repo, tag=tag, revision=commit)
        return PushedRepo(repo, commit, connection.url, tuple(files), commit != before)


def _files(folder: Path) -> list[PulledFile]:
    files = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not path.is_symlink() and not any(part.startswith(".") for part in parts):
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            files.append(PulledFile("/".join(parts), digest, path.stat().st_size))
    if not files:
        raise NotFoundError(f"no files in {folder} to push; give a run or a weights folder")
    return files


def _differing(api: "HfApi", repo: str, commit: str, files: list[PulledFile], folder: Path) -> str | None:
    """Return what of the files the Hub has not, or has otherwise, at a commit; None when all are the same."""
    from huggingface_hub import RepoFile

    listed = {
        item.path: item
        for item in api.list_repo_tree(repo, recursive=True, revision=commit)
        if isinstance(item, RepoFile)
    }
    for file in files:
        there = listed.get(file.name)
        if there is None:
            return f"{file.name} is missing"
        right = file.sha256 if there.lfs else _git_id(folder / file.name)
        found = there.lfs.sha256 if there.lfs else there.blob_id
        if found != right or there.size != file.size:
            return f"{file.name} has {found}, not {right}"
    return None


def _git_id(path: Path) -> str:
    digest = hashlib.sha1(b"blob %d\0" % os.path.getsize(path), usedforsecurity=False)
    digest.update(path.read_bytes())
    return digest.hexdigest()
