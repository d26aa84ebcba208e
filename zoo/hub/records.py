"""What a pull or a push says it did."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PulledFile:
    """One file with the hash that was verified."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True)
class PulledRepo:
    """A repo at a commit, in a local folder.

    Left out are `unusual` files, which models do not come with, and `forbidden` ones, which other programs would run.
    """

    repo: str
    commit: str
    folder: Path
    files: tuple[PulledFile, ...]
    url: str
    unusual: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class PushedRepo:
    """What a push made: the commit, its files with their hashes, whether anything changed, the pull request if any."""

    repo: str
    commit: str
    url: str
    files: tuple[PulledFile, ...]
    changed: bool
    pull_request: str | None = None


@dataclass(frozen=True)
class WantedFile:
    """What a file must be: `etag` names it in the cache, sha256 for large files, git's id for regular ones."""

    name: str
    size: int
    etag: str
    sha256: str | None
