"""One line of JSON a request: who asked for what, how it ended, how long it took. No token, no signature, no query."""

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from urllib.parse import quote

import msgspec

from zoo.hub.server.access import Access
from zoo.hub.server.dates import timestamp
from zoo.hub.server.http import HttpError, Response, Scope

_LARGEST = 10 * 1024 * 1024
_KEPT = 5


class AccessLog:
    """Where the lines go: a file that is rotated, "-" for standard output, or nowhere."""

    def __init__(self, target: str | None) -> None:
        self._handler: logging.Handler | None = None
        if target == "-":
            self._handler = logging.StreamHandler(sys.stdout)
        elif target is not None:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            self._handler = RotatingFileHandler(target, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8")

    def close(self) -> None:
        """Close the file."""
        if self._handler is not None:
            self._handler.close()

    def write(self, scope: Scope, access: Access | None, response: Response, request_id: str, seconds: float) -> None:
        """Write a request's line."""
        if self._handler is None:
            return
        size = response.headers.get("Content-Length") or len(response.body)
        line = {
            "time": timestamp(),
            "client": (scope.get("client") or [""])[0],
            "user": _user(access),
            "method": scope["method"],
            "path": shown_path(scope),
            "status": response.status,
            "bytes": int(size),
            "milliseconds": round(seconds * 1000, 1),
            "request": request_id,
        }
        text = msgspec.json.encode(line).decode()
        self._handler.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))


def shown_path(scope: Scope) -> str:
    """Return a request's path as it may be printed: escaped, and without what signs it."""
    path = quote(scope.get("path", ""), safe="/")
    if path.startswith("/lfs/"):
        path = path.rpartition("/")[0]
    return path[:1000]


def _user(access: Access | None) -> str | None:
    try:
        return access.user.name if access and access.user else None
    except HttpError:
        return None
