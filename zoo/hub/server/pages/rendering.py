"""Make pages from templates, and say numbers, sizes and times as people do."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

import jinja2

from zoo.hub.server.access import Access
from zoo.hub.server.dates import day
from zoo.hub.server.http import HttpError, Response
from zoo.hub.server.repos import Repo
from zoo.hub.server.sizes import size_text
from zoo.hub.server.users import User

_SCRIPT = "text/javascript; charset=utf-8"
_STATIC = {"style.css": "text/css; charset=utf-8", "page.js": _SCRIPT, "upload.js": _SCRIPT, "sha256.js": _SCRIPT}
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load and send: this Hub's own, and no script that stands in the page."""


def page(
    template: str, access: Access, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """Answer with a page."""
    user = _user(access)
    values |= {"user": user.name if user else None, "url": access.url, "asset": asset_address}
    values["key"] = access.form_key(user) if user else ""
    values["writer"] = "repo" in values and _may_write(access, values["repo"])
    values["plugins"] = access.options.plugins is not None
    body = _environment().get_template(template).render(values).encode("utf-8", "replace")
    fixed = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": POLICY,
        "Cache-Control": "no-cache",
        "Vary": "Authorization",
    }
    return Response(status, body, {**fixed, **(headers or {})})


def _user(access: Access) -> User | None:
    try:
        return access.user
    except HttpError:
        return None


def _may_write(access: Access, repo: Repo) -> bool:
    """Tell whether to show what changes a repo."""
    try:
        return bool(access.require_writer(repo.namespace)) and not repo.upstream
    except HttpError:
        return False


def asset(name: str) -> Response:
    """Answer with the style or the script."""
    if name not in _STATIC:
        raise HttpError(404, "Not found")
    headers = {"Content-Type": _STATIC[name], "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(body=_content(name), headers=headers)


@cache
def asset_address(name: str) -> str:
    """Return where the style or the script lies; the address changes with its content."""
    return f"/-/{name}?{hashlib.sha256(_content(name)).hexdigest()[:12]}"


@cache
def _content(name: str) -> bytes:
    return (files(__package__) / "static" / name).read_bytes()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        auto_reload=False,
    )
    environment.filters |= {
        "size": size_text,
        "number": number_text,
        "ago": ago,
        "part": path_part,
        "tint": tint,
        "day": day,
    }
    return environment


def number_text(count: float) -> str:
    """Return a count as people write it: 1,234 or 11.7 M."""
    for bound, unit in ((1e9, "B"), (1e6, "M"), (1e5, "k")):
        if count >= bound:
            return f"{count / (1e3 if unit == 'k' else bound):.1f} {unit}"
    return f"{count:,.0f}"


def ago(date: str) -> str:
    """Return how long ago something was; the day, when it was long ago."""
    then = datetime.fromisoformat(date)
    minutes = int((datetime.now(UTC) - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    for number, unit in ((minutes, "minute"), (minutes // 60, "hour"), (minutes // 1440, "day")):
        if number < {"minute": 60, "hour": 24, "day": 31}[unit]:
            return f"{number} {unit}{'s' if number != 1 else ''} ago"
    return f"{then:%d %B %Y}".lstrip("0")


def path_part(text: str, safe: str = "") -> str:
    """Return text as a part of an address."""
    return quote(text, safe=safe)


def tint(text: str) -> int:
    """Return one of six tints, always the same for the same text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()[0] % 6
