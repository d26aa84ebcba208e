"""What a repo holds at a commit, as the Hub lists it, and checked before anything is fetched."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from zoo.errors import IntegrityError
from zoo.hub.file_names import GIT_ATTRIBUTES, Fault, fault_of, shown
from zoo.hub.records import WantedFile
from zoo.hub.revisions import is_commit
from zoo.hub.transport import Transport

MAX_FILES = 100_000
_MAX_SIZE = 2**63 - 1

Expected = Mapping[str, tuple[str, int]]


@dataclass(frozen=True, kw_only=True)
class FileSelection:
    """Which files of a repo are meant; by default what was signed and what models usually come with.

    `expected` gives (sha256, size) of the files, which win over what the Hub says, and no others but those `beside`,
    where the repo has them. `only` names files whose hashes the Hub's list gives. With `everything` all that may be
    written is meant, and those that are expected must be right.
    """

    expected: Expected = field(default_factory=dict)
    only: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    everything: bool = False

    @property
    def by_name(self) -> bool:
        """Whether nothing but these names is meant."""
        return bool(self.expected or self.only) and not self.everything


class _Info(Struct):
    sha: str
    id: str


class Large(Struct):
    """What a Hub lists of a file that git knows by a pointer."""

    oid: str
    size: int


class Item(Struct):
    """What a Hub lists of a file or a folder."""

    type: str
    path: str
    oid: str = ""
    size: int = 0
    lfs: Large | None = None


def resolve_commit(transport: Transport, url: str, repo: str, revision: str | None) -> str:
    """Return the commit that a revision of a repo is now. Raise IntegrityError when the repo has another name."""
    at = quote(revision or "main", safe="")
    info: _Info = converted(transport.document(f"{url}/api/models/{repo}/revision/{at}"), _Info, url)
    if info.id != repo:
        raise IntegrityError(
            f"{repo} is {shown(info.id)} on {url} now; check who owns that, and ask for it by its new name"
        )
    if not is_commit(info.sha) or (revision is not None and is_commit(revision) and info.sha != revision):
        raise IntegrityError(f"{url} names no commit for {repo}; it is not a Hub to trust")
    return info.sha


def wanted_files(transport: Transport, url: str, repo: str, commit: str, selection: FileSelection) -> list[WantedFile]:
    """Return the files that are expected or named, and those beside them that the repo has."""
    needed, beside = {*selection.expected, *selection.only}, selection.beside
    found = [item for item in listed_items(transport, url, repo, commit) if item.path in needed or item.path in beside]
    return _checked(found, repo, selection.expected, needed)


def all_files(transport: Transport, url: str, repo: str, commit: str, expected: Expected) -> list[WantedFile]:
    """Return every file but git's attributes, of which those that are expected must be right.

    Raise IntegrityError for a name that could leave its folder, or that git would take for its own.
    """
    found = []
    for item in listed_items(transport, url, repo, commit):
        if item.path == GIT_ATTRIBUTES:
            continue
        if (fault := fault_of(item.path)) in (Fault.OUTSIDE, Fault.GIT):
            raise IntegrityError(f"{repo} lists the file {shown(item.path)}, which {fault.value}; tell its owner")
        found.append(item)
        if len(found) > MAX_FILES:
            raise IntegrityError(f"{repo} lists more than {MAX_FILES:,} files; report it to its owner")
    return _checked(found, repo, expected, set(expected))


def _checked(found: list[Item], repo: str, expected: Expected, needed: set[str]) -> list[WantedFile]:
    names = {item.path for item in found}
    if missing := sorted(needed - names):
        raise IntegrityError(f"{repo} lacks {shown(missing[0])}, which should be there; report it to its owner")
    if len(names) != len(found):
        raise IntegrityError(f"{repo} lists a file twice; report it to its owner")
    return [_wanted(item, repo, expected.get(item.path)) for item in found]


def listed_items(transport: Transport, url: str, repo: str, commit: str, type_: str = "models") -> Iterator[Item]:
    """Yield every file that a Hub lists at a commit, as it lists it."""
    for page in transport.pages(f"{url}/api/{type_}/{repo}/tree/{commit}?recursive=true"):
        items: list[Item] = converted(page, list[Item], url)
        yield from (item for item in items if item.type == "file")


def converted(value: Any, kind: Any, url: str) -> Any:
    """Return what a Hub answered as a type. Raise IntegrityError for anything else."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{url} does not answer like a Hub: {error}; check the address") from None


def _wanted(item: Item, repo: str, expected: tuple[str, int] | None) -> WantedFile:
    sha256 = item.lfs.oid if item.lfs else None
    etag, size = sha256 or item.oid, item.lfs.size if item.lfs else item.size
    if not set(etag) <= set("0123456789abcdef") or len(etag) != (64 if item.lfs else 40) or not 0 <= size <= _MAX_SIZE:
        raise IntegrityError(
            f"{repo} lists {shown(item.path)} with the broken hash {shown(etag)} or size; report it to its owner"
        )
    if expected is not None:
        right, right_size = expected
        if size != right_size or sha256 not in (None, right):
            has = f"sha256 {sha256 or 'unknown'} and {size:,} bytes"
            raise IntegrityError(
                f"{item.path} of {repo} has {has}, not the sha256 {right} and {right_size:,} bytes expected"
            )
        sha256 = right
    return WantedFile(item.path, size, etag, sha256)
