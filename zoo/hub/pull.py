"""Pull a repo: one commit for all files, every byte hashed while it comes, nothing visible before it is right.

Files go to the Hugging Face cache in its own layout, so that other tools see the same ones and nothing is stored twice.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.errors import IntegrityError, NetworkError, UsageError
from zoo.hub.connection import Connection, connect
from zoo.hub.failures import hub_errors
from zoo.paths import new_folder, storage_errors, write_file

if TYPE_CHECKING:
    from huggingface_hub import RepoFile

_ATTEMPTS = 3
_CHUNK = 256 * 1024
_TIMEOUT = 30


@dataclass(frozen=True)
class PulledFile:
    """One file with the hash that was verified."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class PulledRepo:
    """A repo at a commit, in a local folder."""

    repo: str
    commit: str
    folder: Path
    files: tuple[PulledFile, ...]
    url: str


@dataclass(frozen=True)
class _Wanted:
    """What a file must be: `etag` names it in the cache, sha256 for large files, git's id for regular ones."""

    name: str
    size: int
    etag: str
    sha256: str | None


def pull_repo(
    repo: str,
    *,
    revision: str | None = None,
    hub: str | Path | None = None,
    expected: Mapping[str, tuple[str, int]] | None = None,
    to: Path | None = None,
    progress: bool = False,
) -> PulledRepo:
    """Fetch a repo's files and verify them by size and hash.

    `expected` gives (sha256, size) of the only files to fetch; they win over what the Hub says. With `to` plain files
    are put into that folder, which must not exist. A commit complete in the cache asks no Hub. Raise NotFoundError,
    AuthorisationError, NetworkError, StorageError, or IntegrityError with nothing left behind.
    """
    check_repo_id(repo)
    if to is not None and to.exists() and any(to.iterdir()):
        raise UsageError(f"{to} exists and is not empty; choose another folder for --to")
    cache = _Cache(repo)
    pulled = cache.complete(revision) if revision else None
    if pulled is None or (expected is not None and not _agrees(pulled, expected)):
        with connect(hub) as connection, hub_errors(repo, revision, connection.url):
            pulled = _fetch(cache, connection, revision, expected, progress)
    return pulled if to is None else _copy(pulled, to)


def check_repo_id(repo: str) -> None:
    """Raise UsageError unless this is `namespace/name` as the Hub allows it."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError:
        raise UsageError(f"{repo[:120]!r} is no repo id; write namespace/name") from None
    if repo.count("/") != 1:
        raise UsageError(f"{repo!r} has no namespace; write namespace/name")


def _agrees(pulled: PulledRepo, expected: Mapping[str, tuple[str, int]]) -> bool:
    have = {file.name: (file.sha256, file.size) for file in pulled.files}
    return all(have.get(name) == value for name, value in expected.items())


def _fetch(
    cache: "_Cache",
    connection: Connection,
    revision: str | None,
    expected: Mapping[str, tuple[str, int]] | None,
    progress: bool,
) -> PulledRepo:
    from huggingface_hub import HfApi, RepoFile
    from tqdm import tqdm

    api = HfApi(endpoint=connection.url, token=connection.token)
    commit = api.repo_info(cache.repo, revision=revision, timeout=_TIMEOUT).sha
    if not commit or not _is_commit(commit):
        raise IntegrityError(f"{connection.url} names no commit for {cache.repo}; it is no Hub that can be trusted")
    listed = [
        item for item in api.list_repo_tree(cache.repo, recursive=True, revision=commit) if isinstance(item, RepoFile)
    ]
    wanted = _wanted(listed, expected, cache.repo)
    with tqdm(
        total=sum(item.size for item in wanted),
        desc=cache.repo,
        unit="B",
        unit_scale=True,
        disable=not progress,
        leave=False,
    ) as bar:
        hashes = [_ensure(cache, connection, commit, item, bar) for item in wanted]
    files = tuple(PulledFile(item.name, digest, item.size) for item, digest in zip(wanted, hashes, strict=True))
    return cache.publish(commit, revision or "main", wanted, files, connection.url)


def _wanted(listed: "list[RepoFile]", expected: Mapping[str, tuple[str, int]] | None, repo: str) -> list[_Wanted]:
    """Return what to fetch, checked: names that stay inside a folder, hashes that are hashes."""
    wanted = []
    for item in listed:
        lfs = item.lfs
        etag = str(lfs.sha256 if lfs else item.blob_id)
        sha256 = str(lfs.sha256) if lfs else None
        size = int(lfs.size if lfs else item.size)
        if expected is not None:
            if item.path not in expected:
                continue
            right, right_size = expected[item.path]
            if size != right_size or sha256 not in (None, right):
                has = f"sha256 {sha256 or 'unknown'} and {size:,} bytes"
                raise IntegrityError(
                    f"{item.path} of {repo} has {has}, not the sha256 {right} and {right_size:,} bytes expected"
                )
            sha256 = right
        parts = item.path.split("/")
        if "\\" in item.path or "\0" in item.path or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
            raise IntegrityError(
                f"{repo} lists the file {item.path[:100]!r}, which could leave its folder; tell its owner"
            )
        if not set(etag) <= set("0123456789abcdef") or len(etag) not in (40, 64):
            raise IntegrityError(f"{repo} lists {item.path!r} with the broken hash {etag[:80]!r}; tell its owner")
        wanted.append(_Wanted(item.path, size, etag, sha256))
    if missing := sorted(set(expected or ()) - {item.name for item in wanted}):
        raise IntegrityError(f"{repo} lacks {missing[0]!r}, which the registry lists; tell its owner")
    return wanted


def _ensure(cache: "_Cache", connection: Connection, commit: str, wanted: _Wanted, bar: Any) -> str:
    """Return the sha256 of a file that is in the cache, right, or fetch it. A wrong one is fetched once more."""
    blob = cache.blob(wanted)
    if blob.is_file() and blob.stat().st_size == wanted.size:
        found = _hash_file(blob, wanted.size)
        if _is_right(found, wanted):
            bar.update(wanted.size)
            return found[0]
    found = ("", "")
    for attempt in range(_ATTEMPTS):
        temporary = blob.with_name(f"{wanted.etag}.{secrets.token_hex(4)}.incomplete")
        try:
            found = _stream(cache.repo, connection, commit, wanted, temporary, bar)
            if _is_right(found, wanted):
                os.replace(temporary, blob)
                return found[0]
            bar.update(-temporary.stat().st_size)
        except Exception as error:
            if attempt + 1 == _ATTEMPTS or not _may_pass(error):
                raise
        finally:
            temporary.unlink(missing_ok=True)
        if found[0] and attempt:
            break
    right = f"sha256 {wanted.sha256}" if wanted.sha256 else f"git id {wanted.etag}"
    wrong = f"sha256 {found[0]}" if wanted.sha256 else f"git id {found[1]}"
    raise IntegrityError(
        f"{wanted.name} of {cache.repo} has {wrong}, not {right}: nothing was kept; tell the Hub's owner"
    )


def _stream(
    repo: str, connection: Connection, commit: str, wanted: _Wanted, temporary: Path, bar: Any
) -> tuple[str, str]:
    """Write a file to its temporary name; return its sha256 and git id."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    url = hf_hub_url(repo, wanted.name, revision=commit, endpoint=connection.url)
    headers = {**build_hf_headers(token=connection.token), "Accept-Encoding": "identity"}
    digests = _digests(wanted.size)
    temporary.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with get_session().stream("GET", url, headers=headers, follow_redirects=True, timeout=_TIMEOUT) as response:
        hf_raise_for_status(response)
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NetworkError(
                f"{connection.url} sends {wanted.name} compressed, which cannot be verified; tell its owner"
            )
        with open(temporary, "wb") as file:
            for chunk in response.iter_raw(_CHUNK):
                size += len(chunk)
                if size > wanted.size:
                    raise IntegrityError(
                        f"{wanted.name} of {repo} is longer than the {wanted.size:,} bytes it should have"
                    )
                for digest in digests:
                    digest.update(chunk)
                file.write(chunk)
                bar.update(len(chunk))
            file.flush()
            os.fsync(file.fileno())
    if size < wanted.size:
        bar.update(-size)
        raise ConnectionError(f"{wanted.name} broke off after {size:,} of {wanted.size:,} bytes")
    return digests[0].hexdigest(), digests[1].hexdigest()


def _digests(size: int) -> tuple[Any, Any]:
    return hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)


def _hash_file(path: Path, size: int) -> tuple[str, str]:
    digests = _digests(size)
    with open(path, "rb") as file:
        while chunk := file.read(1024 * 1024):
            for digest in digests:
                digest.update(chunk)
    return digests[0].hexdigest(), digests[1].hexdigest()


def _is_right(found: tuple[str, str], wanted: _Wanted) -> bool:
    return wanted.etag in found and wanted.sha256 in (None, found[0])


def _may_pass(error: Exception) -> bool:
    """Tell whether trying again may help: the connection broke, or the server had a bad moment."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    library = type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "httpcore", "httpcore2")
    return isinstance(error, ConnectionError) or (library and status is None) or (status or 0) >= 500


class _Cache:
    """A repo's folder in the Hugging Face cache."""

    def __init__(self, repo: str) -> None:
        from huggingface_hub import constants

        self.repo = repo
        self.folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"

    def blob(self, wanted: _Wanted) -> Path:
        """Return where a file's bytes lie."""
        return self.folder / "blobs" / wanted.etag

    def complete(self, revision: str) -> PulledRepo | None:
        """Return a commit that was pulled whole; offline, also what a branch or tag was when it was pulled last."""
        from huggingface_hub import constants

        if not _is_commit(revision):
            ref = self.folder / "refs" / revision
            if not constants.is_offline_mode() or ".." in revision or not ref.is_file():
                return None
            revision = ref.read_text().strip()
        try:
            record = json.loads((self.folder / "zoo" / f"{revision}.json").read_bytes())
            files = tuple(PulledFile(**item) for item in record["files"])
            snapshot = self.folder / "snapshots" / revision
            if any((snapshot / file.name).stat().st_size != file.size for file in files):
                return None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return PulledRepo(self.repo, revision, snapshot, files, record["url"])

    def publish(
        self, commit: str, revision: str, wanted: list[_Wanted], files: tuple[PulledFile, ...], url: str
    ) -> PulledRepo:
        """Make verified files visible under the commit, then let the revision point to it."""
        snapshot = self.folder / "snapshots" / commit
        for item in wanted:
            link = snapshot / item.name
            link.parent.mkdir(parents=True, exist_ok=True)
            target = os.path.relpath(self.blob(item), link.parent)
            temporary = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
            os.symlink(target, temporary)
            os.replace(temporary, link)
        snapshot.mkdir(parents=True, exist_ok=True)
        record = {"url": url, "files": [asdict(file) for file in files]}
        path = self.folder / "zoo" / f"{commit}.json"
        path.parent.mkdir(exist_ok=True)
        write_file(path, json.dumps(record).encode())
        if not _is_commit(revision):
            ref = self.folder / "refs" / revision
            ref.parent.mkdir(parents=True, exist_ok=True)
            write_file(ref, commit.encode())
        return PulledRepo(self.repo, commit, snapshot, files, url)


def _copy(pulled: PulledRepo, to: Path) -> PulledRepo:
    """Put plain files into a folder, all or none."""
    import shutil

    with storage_errors(f"writing {to}"), new_folder(to) as temporary:
        for file in pulled.files:
            target = temporary / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(pulled.folder / file.name, target)
    return PulledRepo(pulled.repo, pulled.commit, to, pulled.files, pulled.url)


def _is_commit(revision: str) -> bool:
    return len(revision) == 40 and set(revision) <= set("0123456789abcdef")
