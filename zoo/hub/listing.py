"""What a repo holds at a commit, as the Hub lists it, and checked before anything is fetched."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from zoo.errors import IntegrityError
from zoo.hub.records import WantedFile
from zoo.hub.transport import Transport

MAX_FILES = 100_000
_UNREADABLE = (".bin", ".ckpt", ".h5", ".msgpack", ".onnx", ".ot", ".pickle", ".pkl", ".pt", ".pth", ".tflite")
"""Weights in formats that nothing here reads, pickles among them: not worth anybody's disk."""

Expected = Mapping[str, tuple[str, int]]


class _Info(Struct):
    sha: str
    id: str


class _Large(Struct):
    oid: str
    size: int


class _Item(Struct):
    type: str
    path: str
    oid: str = ""
    size: int = 0
    lfs: _Large | None = None


def resolve_commit(transport: Transport, url: str, repo: str, revision: str | None) -> str:
    """Return the commit that a revision of a repo is now. Raise IntegrityError when the repo has another name."""
    at = quote(revision or "main", safe="")
    info: _Info = _converted(transport.document(f"{url}/api/models/{repo}/revision/{at}"), _Info, url)
    if info.id != repo:
        raise IntegrityError(
            f"{repo} is {info.id[:200]} on {url} now; check who owns that, and ask for it by its new name"
        )
    if not is_commit(info.sha) or (revision is not None and is_commit(revision) and info.sha != revision):
        raise IntegrityError(f"{url} names no commit for {repo}; it is not a Hub to trust")
    return info.sha


def wanted_files(
    transport: Transport,
    url: str,
    repo: str,
    commit: str,
    expected: Expected | None,
    only: tuple[str, ...] = (),
    beside: tuple[str, ...] = (),
) -> list[WantedFile]:
    """Return what to fetch: the files that are expected or named, or else all that something here can read.

    Those `beside` what is expected are fetched where the repo has them.
    """
    found = []
    needed = set(only or expected or ())
    chosen = needed | set(beside) if needed else needed
    for item in _items(transport, url, repo, commit):
        if item.type != "file" or (chosen and item.path not in chosen):
            continue
        if not chosen and item.path.lower().endswith(_UNREADABLE):
            continue
        found.append(_wanted(item, repo, (expected or {}).get(item.path)))
        if len(found) > MAX_FILES:
            raise IntegrityError(f"{repo} lists more than {MAX_FILES:,} files; report it to its owner")
    if missing := sorted(needed - {item.name for item in found}):
        raise IntegrityError(f"{repo} lacks {missing[0]!r}, which should be there; report it to its owner")
    if len({item.name for item in found}) != len(found):
        raise IntegrityError(f"{repo} lists a file twice; report it to its owner")
    return found


def is_commit(revision: str) -> bool:
    """Tell whether this is a commit's id, which cannot come to mean something else."""
    return len(revision) == 40 and set(revision) <= set("0123456789abcdef")


def _items(transport: Transport, url: str, repo: str, commit: str) -> Iterator[_Item]:
    for page in transport.pages(f"{url}/api/models/{repo}/tree/{commit}?recursive=true"):
        yield from _converted(page, list[_Item], url)


def _converted(value: Any, kind: Any, url: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{url} does not answer like a Hub: {error}; check the address") from None


def _wanted(item: _Item, repo: str, expected: tuple[str, int] | None) -> WantedFile:
    parts = item.path.split("/")
    if "\\" in item.path or "\0" in item.path or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise IntegrityError(
            f"{repo} lists the file {item.path[:100]!r}, which could escape its folder; report it to its owner"
        )
    sha256 = item.lfs.oid if item.lfs else None
    etag, size = sha256 or item.oid, item.lfs.size if item.lfs else item.size
    if not set(etag) <= set("0123456789abcdef") or len(etag) != (64 if item.lfs else 40) or size < 0:
        raise IntegrityError(f"{repo} lists {item.path!r} with the broken hash {etag[:80]!r}; report it to its owner")
    if expected is not None:
        right, right_size = expected
        if size != right_size or sha256 not in (None, right):
            has = f"sha256 {sha256 or 'unknown'} and {size:,} bytes"
            raise IntegrityError(
                f"{item.path} of {repo} has {has}, not the sha256 {right} and {right_size:,} bytes expected"
            )
        sha256 = right
    return WantedFile(item.path, size, etag, sha256)
