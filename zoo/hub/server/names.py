"""Which names of repos, files and refs a Hub accepts. A name that passes is still never used as a path on disk."""

import re

from zoo.hub.file_names import Fault, fault_of, shown
from zoo.hub.revisions import is_revision
from zoo.hub.server.http import HttpError

_PART = re.compile(r"[A-Za-z0-9_]([\w.-]*[A-Za-z0-9_])?", re.ASCII)
_REF = re.compile(r"[\w][\w./-]*", re.ASCII)
_OF_GIT = (".gitattributes", ".gitignore")
"""What clients send of git's; other programs' own names are their readers' matter."""
RESERVED = ("api", "cas", "datasets", "models", "plugins", "spaces")
"""Namespaces whose repos would have the Hub's own addresses, so that nothing in them could be resolved."""
_COMMIT = re.compile(r"[0-9a-f]{40}")


def check_repo(namespace: str, name: str) -> str:
    """Return `namespace/name`. Raise HttpError 400 for what the client's own rules forbid."""
    full = f"{namespace}/{name}"
    for part in (namespace, name):
        if not _PART.fullmatch(part) or len(part) > 96 or "--" in part or ".." in part or part.endswith(".git"):
            raise HttpError(
                400, f"Invalid repo id {full[:200]!r}: two parts of letters, digits, '-', '_', '.'; no '--' or '..'"
            )
    if len(full) > 96:
        raise HttpError(400, "Invalid repo id: more than 96 characters")
    return full


def check_new_repo(full: str) -> None:
    """Raise HttpError 400 for the name of a new repo that nobody could ask for."""
    namespace = full.partition("/")[0]
    if namespace.lower() in RESERVED:
        raise HttpError(400, f"Invalid repo id: the namespace {namespace!r} is part of this Hub's own addresses")


def check_path(path: str, status: int = 422) -> str:
    """Return a file's path in a repo. Raise HttpError for one that could mean something else on some disk."""
    parts = path.split("/")
    bad = (
        any(part in ("", ".", "..", ".git", ".cache") or len(part.encode()) > 255 for part in parts)
        or "\\" in path
        or any(ord(character) < 32 for character in path)
        or re.match(r"[A-Za-z]:", path)
        or len(path) > 1024
    )
    if bad:
        raise HttpError(status, f"Invalid path in repo: {path[:200]!r}")
    return path


def check_new_path(path: str) -> str:
    """Return the path that a file is to have. Raise HttpError 422 for one that git or a disk would take for another."""
    folder, _, name = check_path(path).rpartition("/")
    fault = fault_of(path) if name not in _OF_GIT else fault_of(folder) if folder else None
    if fault not in (None, Fault.FOREIGN):
        raise HttpError(422, f"Invalid path in repo: {shown(path)}, which {fault.value}")
    return path


def check_ref(name: str) -> str:
    """Return a branch's or tag's name. Raise HttpError 400 for what git would not take, or a commit's look."""
    bad = (
        not _REF.fullmatch(name)
        or ".." in name
        or "//" in name
        or name.endswith((".lock", "/", "."))
        or len(name) > 200
        or not is_revision(name)
    )
    if bad or name.startswith("refs/") or _COMMIT.fullmatch(name):
        raise HttpError(400, f"Invalid reference name: {name[:200]!r}")
    return name
