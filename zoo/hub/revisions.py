"""What can be a revision: a branch, a tag or a commit, by git's own rules for names."""

import re

from zoo.errors import UsageError, ZooError
from zoo.hub.file_names import shown

MAX_BYTES = 255
_FORBIDDEN = re.compile(r"[\s~^:?*\[\\]|\.\.|@\{|//|^[-/]|[/.]$|^@$")


def is_commit(revision: str) -> bool:
    """Tell whether this is a commit's id, which cannot come to mean something else."""
    return len(revision) == 40 and set(revision) <= set("0123456789abcdef")


def is_revision(name: str) -> bool:
    """Tell whether git takes this as a name of a branch or a tag. It may become a path, so that nothing else may be."""
    return (
        name.isprintable()
        and 0 < len(name.encode()) <= MAX_BYTES
        and not _FORBIDDEN.search(name)
        and not any(part.startswith(".") or part.lower().endswith(".lock") for part in name.split("/"))
    )


def check_revision(name: str, repo: str, error: type[ZooError] = UsageError) -> str:
    """Return a revision of a repo. Raise the error for one that git would not take."""
    if not is_revision(name):
        raise error(f"{shown(name)} of {repo} is no revision, as git knows them; give a branch, a tag or a commit")
    return name


def check_tag_name(name: str) -> str:
    """Return the name of a new tag. Raise UsageError, with one alike, for one that git would not take."""
    if not is_revision(name):
        alike = re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-.")[:80]
        near = alike if is_revision(alike) else "v1"
        raise UsageError(f"--tag {shown(name)} is no name that git takes; type one without spaces: --tag {near}")
    return name
