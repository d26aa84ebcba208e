"""Which repo, at which revision, a request reads."""

import re

from zoo.hub.revisions import is_revision
from zoo.hub.server.http import HttpError, Request
from zoo.hub.server.names import RESERVED, check_repo

_TYPES = ("models", "datasets", "spaces")
_OF_REVISION = ("revision", "tree", "paths-info", "commits", "resolve", "raw", "blob", "picture")
_WORD = re.compile(r"[\w.-]{1,96}", re.ASCII)


def named(request: Request) -> tuple[str, str, str] | None:
    """Return the type, name and revision of the repo that a request reads; None for any other request."""
    segments = request.segments
    api = segments[:1] == ["api"]
    if request.method not in ("GET", "HEAD") and not (api and segments[4:5] == ["paths-info"]):
        return None
    rest = segments[1:] if api else segments
    if rest[:1] and rest[0] in _TYPES:
        type_, rest = rest[0], rest[1:]
    elif api:
        return None
    else:
        type_ = "models"
    if len(rest) < 2 or (not api and rest[0] in ("-", "cas", "lfs", "plugins")):
        return None
    namespace, name, *route = rest
    try:
        check_repo(namespace, name)
    except HttpError:
        return None
    revision = route[1] if len(route) > 1 and route[0] in _OF_REVISION else "main"
    return (type_, f"{namespace}/{name}", revision) if is_revision(revision) else None


def one_word(request: Request) -> tuple[str, str] | None:
    """Return the type and the only word of a repo's name, where a request cannot mean a name of two."""
    segments = request.segments
    api = segments[:1] == ["api"]
    rest = segments[1:] if api else segments
    if request.method not in ("GET", "HEAD"):
        return None
    type_ = "models"
    if rest[:1] and rest[0] in _TYPES:
        type_, *rest = rest
    elif api:
        return None
    alone = api and len(rest) == 1
    followed = len(rest) > 2 and rest[1] in _OF_REVISION and rest[2] not in (*_OF_REVISION, "refs")
    if not (alone or followed) or not _WORD.fullmatch(rest[0]) or rest[0] in RESERVED:
        return None
    return type_, rest[0]
