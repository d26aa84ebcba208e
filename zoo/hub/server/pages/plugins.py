"""A plugin index under /plugins: the files that `zoo plugins index` wrote, as they lie in one folder."""

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Response

_FILE = re.compile(r"[a-z0-9][a-z0-9._+!-]{0,199}\.(html|json|css)", re.ASCII)
_TYPES = {"html": "text/html; charset=utf-8", "json": "application/json", "css": "text/css; charset=utf-8"}
_POLICY = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"


def answer(access: Access, folder: Path, rest: Sequence[str]) -> Response:
    """Answer with a file of the index, below `/plugins/`, where its links lead to one another."""
    access.check_reading(log_in=True)
    if not rest:
        return Response(308, headers={"Location": "/plugins/"})
    match = _FILE.fullmatch(rest[0] or "index.html")
    if match is None:
        raise HttpError(404, "Not found")
    headers = {"Content-Type": _TYPES[match[1]], "Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    try:
        descriptor = os.open(folder / match[0], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise HttpError(404, "Not found") from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise HttpError(404, "Not found")
    file = open(descriptor, "rb")
    return Response(headers={**headers, "Content-Length": str(status.st_size)}, file=(file, 0, status.st_size))
