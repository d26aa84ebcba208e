"""Which token or password a Hub is shown: the one that is meant for it, and for nobody else."""

import base64
import os
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from zoo.redaction import remember

PUBLIC = "https://huggingface.co"
_OF_HUBS = "zoo_"
"""What the tokens of a Hub of one's own begin with."""
_TOKENS = (_OF_HUBS, "hf_")

Origin = tuple[str, str | None, int | None]


@dataclass(frozen=True)
class Credentials:
    """What a Hub is shown: a token, or a user and password of HTTP Basic, or nothing."""

    token: str | Literal[False] = field(default=False, repr=False)
    basic: str | None = field(default=None, repr=False)

    @property
    def header(self) -> str | None:
        """Return the value of Authorization."""
        return f"Bearer {self.token}" if self.token else self.basic


def default_hub() -> str:
    """Return the Hub that is meant where none is named: `$ZOO_HUB`, `$HF_ENDPOINT`, or the public one."""
    return os.environ.get("ZOO_HUB") or _home()


def origin_of(url: str) -> Origin:
    """Return what two addresses of one server have alike. Raise ValueError for what is no address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def without_user(url: str) -> str:
    """Return an address without user and password."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def given(token: str | None) -> Credentials | None:
    """Return a token that was given for one Hub, as what that Hub is shown."""
    if not token:
        return None
    remember(token)
    return Credentials(token)


def credentials_for(url: str) -> Credentials:
    """Return what is meant for this Hub, by its address itself, or by the environment for the Hub that it names.

    `ZOO_HUB_TOKEN` belongs to `ZOO_HUB`. HF_TOKEN, and the token of `hf auth login`, belong to `HF_ENDPOINT`, or to
    the public Hub where that is not set.
    """
    origin = origin_of(url)
    for named in (url, os.environ.get("ZOO_HUB", ""), os.environ.get("HF_ENDPOINT", "")):
        if "@" in named and _is(named, origin) and (found := _in_address(named)):
            return found
    token = os.environ.get("ZOO_HUB_TOKEN", "").strip() if _is(os.environ.get("ZOO_HUB", ""), origin) else ""
    if not token and _is(_home(), origin):
        token = _of_huggingface_hub()
        if token.startswith(_OF_HUBS) and _is(PUBLIC, origin):
            token = ""
    return given(token) or Credentials()


def way_in(url: str) -> str:
    """Say how a Hub is given a token, as the end of a sentence."""
    try:
        known = _is(_home(), origin_of(url))
    except ValueError:
        known = True
    return "`hf auth login` or HF_TOKEN" if known else f"ZOO_HUB={url} with ZOO_HUB_TOKEN, or HF_ENDPOINT with HF_TOKEN"


def _home() -> str:
    return os.environ.get("HF_ENDPOINT") or PUBLIC


def _is(named: str, origin: Origin) -> bool:
    try:
        return "://" in named and origin_of(named) == origin
    except ValueError:
        return False


def _in_address(url: str) -> Credentials | None:
    """Return user and password of an address; a token in their place is shown as a token."""
    parts = urlsplit(url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not user and not password:
        return None
    word = password or user
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    for secret in (word, pair, parts.netloc.rpartition("@")[0]):
        remember(secret)
    return Credentials(word) if word.startswith(_TOKENS) else Credentials(basic=f"Basic {pair}")


def _of_huggingface_hub() -> str:
    from huggingface_hub import constants, get_token

    return "" if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token() or ""
