"""Copy repos from one Hub to another: what every tag held, in order, then what main holds; verified, and resumable.

Every tag becomes one commit. What is there already, byte for byte, is not copied again, so that a mirror that was
interrupted, or is run again, only brings what is new.
"""

import hashlib
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.hub.connection import PUBLIC, connect
from zoo.hub.failures import hub_errors
from zoo.hub.file_names import GIT_ATTRIBUTES, Fault, fault_of, shown
from zoo.hub.pull import check_repo_id
from zoo.hub.revisions import check_revision, is_commit

if TYPE_CHECKING:
    from huggingface_hub import HfApi, RepoFile

Kind = Literal["model", "dataset"]
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Mirrored:
    """What came of one repo: how many commits and files were copied, none when all was there."""

    repo: str
    kind: Kind
    tags: int
    commits: int
    files: int
    bytes: int


@dataclass(frozen=True)
class _Pair:
    """A repo on both Hubs."""

    source: "HfApi"
    target: "HfApi"
    repo: str
    kind: Kind


def mirror(
    source: str | Path,
    target: str | Path,
    repos: Sequence[str] = (),
    *,
    source_token: str | None = None,
    target_token: str | None = None,
    done: Callable[[Mirrored], None] = lambda _: None,
) -> list[Mirrored]:
    """Copy repos, all of the source's when none are named, `datasets/NAME` for a data set; return what came of each.

    Without a token of its own, a Hub gets the one that is meant for it. Raise IntegrityError where the target then
    differs from the source.
    """
    results = []
    with _opened(source, source_token) as reading, _opened(target, target_token, create=True) as writing:
        if reading.endpoint == writing.endpoint:
            raise UsageError(f"{source} and {target} are the same Hub; give two")
        for kind, repo in _named(reading, repos):
            with hub_errors(repo, None, f"{reading.endpoint} or {writing.endpoint}"):
                results.append(_mirror_repo(_Pair(reading, writing, repo, kind)))
            done(results[-1])
    return results


@contextmanager
def _opened(hub: str | Path, token: str | None, *, create: bool = False) -> Iterator["HfApi"]:
    from huggingface_hub import HfApi
    from huggingface_hub.utils import disable_progress_bars, enable_progress_bars

    with connect(hub, create=create, token=token) as connection:
        disable_progress_bars()
        try:
            yield HfApi(endpoint=connection.url, token=connection.token)
        finally:
            enable_progress_bars()


def _named(source: "HfApi", repos: Sequence[str]) -> Iterator[tuple[Kind, str]]:
    if not repos and source.endpoint == PUBLIC:
        raise UsageError(f"all of {PUBLIC} is too large to copy; name the repos")
    for name in repos:
        kind: Kind = "dataset" if name.startswith("datasets/") else "model"
        check_repo_id(repo := name.removeprefix("datasets/"))
        yield kind, repo
    if not repos:
        with hub_errors("the list of repos", None, str(source.endpoint)):
            listed: list[tuple[Kind, str]] = [("model", item.id) for item in source.list_models()]
            listed += [("dataset", item.id) for item in source.list_datasets()]
        yield from sorted(listed)


def _mirror_repo(pair: _Pair) -> Mirrored:
    info = pair.source.repo_info(pair.repo, repo_type=pair.kind)
    pair.target.create_repo(pair.repo, repo_type=pair.kind, private=bool(info.private), exist_ok=True)
    refs = pair.source.list_repo_refs(pair.repo, repo_type=pair.kind)
    order = {
        commit.commit_id: place
        for place, commit in enumerate(pair.source.list_repo_commits(pair.repo, repo_type=pair.kind))
    }
    for tag in refs.tags:
        check_revision(tag.name, f"{pair.repo} on {pair.source.endpoint}", IntegrityError)
    tags = sorted(refs.tags, key=lambda tag: -order.get(tag.target_commit, len(order)))
    there = {tag.name: tag.target_commit for tag in pair.target.list_repo_refs(pair.repo, repo_type=pair.kind).tags}
    commits = files = size = 0
    with tempfile.TemporaryDirectory(prefix="zoo-mirror-") as temporary:
        for tag in tags:
            if tag.name in there:
                _check_equal(pair, tag.target_commit, there[tag.name], f"the tag {tag.name}", Path(temporary))
                continue
            copied = _copy_tree(pair, tag.target_commit, f"Mirror {tag.name}", Path(temporary))
            head = str(pair.target.repo_info(pair.repo, repo_type=pair.kind).sha)
            pair.target.create_tag(pair.repo, tag=tag.name, revision=head, repo_type=pair.kind)
            commits, files, size = commits + (copied[0] > 0), files + copied[0], size + copied[1]
        copied = _copy_tree(pair, str(info.sha), "Mirror main", Path(temporary))
    commits, files, size = commits + (copied[0] > 0), files + copied[0], size + copied[1]
    return Mirrored(pair.repo, pair.kind, len(tags), commits, files, size)


def _copy_tree(pair: _Pair, commit: str, message: str, folder: Path) -> tuple[int, int]:
    """Make the target's main hold what a commit of the source holds; return how many files changed, and their bytes."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    head = str(pair.target.repo_info(pair.repo, repo_type=pair.kind).sha)
    wanted, present = _tree(pair.source, pair, commit), _tree(pair.target, pair, head)
    operations: list[CommitOperationAdd | CommitOperationDelete] = []
    size = 0
    for path, file in wanted.items():
        local = None
        if path not in present or not (same := _same(file, present[path])):
            local = _download(pair, commit, file, folder)
            same = path in present and _agrees(local, present[path])
        if not same and local is not None:
            operations.append(CommitOperationAdd(path, local))
            size += file.size
    operations += [CommitOperationDelete(path) for path in sorted(present.keys() - wanted.keys())]
    if operations:
        done = pair.target.create_commit(
            pair.repo, operations, commit_message=message, repo_type=pair.kind, parent_commit=head
        )
        _check_equal(pair, commit, str(done.oid), "main", folder)
    for left in folder.iterdir():  # a tag's files are done with; the next one's may be many
        left.unlink()
    return len(operations), size


def _check_equal(pair: _Pair, commit: str, there: str, what: str, folder: Path) -> None:
    wanted, found = _tree(pair.source, pair, commit), _tree(pair.target, pair, there)
    for path in sorted(wanted.keys() | found.keys()):
        if path in wanted and path in found:
            same = _same(wanted[path], found[path])
            if same or (same is None and _agrees(_download(pair, commit, wanted[path], folder), found[path])):
                continue
        raise IntegrityError(
            f"{what} of {pair.repo} on {pair.target.endpoint} differs from {pair.source.endpoint} in {path!r}; "
            "remove the repo or the tag there, then mirror again"
        )


def _tree(api: "HfApi", pair: _Pair, commit: str) -> "dict[str, RepoFile]":
    from huggingface_hub import RepoFile

    if not is_commit(commit):
        raise IntegrityError(f"{api.endpoint} names no commit for {pair.repo}; it is no Hub that can be trusted")
    items = api.list_repo_tree(pair.repo, recursive=True, revision=commit, repo_type=pair.kind)
    found = {item.path: item for item in items if isinstance(item, RepoFile) and item.path != GIT_ATTRIBUTES}
    for path in found:
        if (fault := fault_of(path)) not in (None, Fault.FOREIGN):
            raise IntegrityError(f"{pair.repo} on {api.endpoint} lists {shown(path)}, which {fault.value}")
    return found


def _same(one: "RepoFile", other: "RepoFile") -> bool | None:
    """Tell whether two files are alike; None where one goes by LFS and the other does not, so that bytes must tell."""
    if one.size != other.size:
        return False
    if bool(one.lfs) != bool(other.lfs):
        return None
    return one.lfs.sha256 == other.lfs.sha256 if one.lfs and other.lfs else one.blob_id == other.blob_id


def _download(pair: _Pair, commit: str, file: "RepoFile", folder: Path) -> Path:
    """Fetch a file, under a name of our own, and compare it with what the source says of it."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    url = hf_hub_url(pair.repo, file.path, repo_type=pair.kind, revision=commit, endpoint=pair.source.endpoint)
    path = folder / secrets.token_hex(8)
    with open(path, "xb") as opened:
        http_get(url, opened, headers=build_hf_headers(token=pair.source.token), expected_size=file.size)
    if not _agrees(path, file):
        raise IntegrityError(
            f"{file.path} of {pair.repo} differs from what {pair.source.endpoint} lists; run `zoo hub fsck` there"
        )
    return path


def _agrees(path: Path, file: "RepoFile") -> bool:
    size = path.stat().st_size
    digest = hashlib.sha256() if file.lfs else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with open(path, "rb") as opened:
        while chunk := opened.read(_CHUNK):
            digest.update(chunk)
    return size == file.size and digest.hexdigest() == (file.lfs.sha256 if file.lfs else file.blob_id)


def read_token(path: Path | None) -> str | None:
    """Return the token that a file holds."""
    if path is None:
        return None
    try:
        return path.read_text().strip()
    except OSError as error:
        raise NotFoundError(
            f"no token can be read from {path}: {error.strerror}; name the file that holds it"
        ) from None
