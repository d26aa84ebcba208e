"""Take secrets out of text, before it is stored or printed: tokens, passwords in addresses, signatures.

What a secret looks like is known by its form; those that are in use now are known by their value, too.
"""

import base64
import os
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "ZOO_HUB_TOKEN")
"""Environment variables that hold a token."""
_SHORTEST = 8
"""A shorter password is taken out of addresses alone: it may be a part of any word."""

_TOKEN = re.compile(
    r"(hf|zoo)_(?:(?<=hf_)(?:[A-Za-z0-9]{20,}|(?:oauth|jwt)_[\w.-]{20,})|(?<=zoo_)[\w-]{43,})", re.ASCII
)
_USER = re.compile(r"(://)[^/?#\s]*@")
_USER_WITH_SPACES = re.compile(r"""(://)[^/?#"'<>]*@(?=[\w.\[\]:-]+/?$)""")
_USER_WITH_SLASHES = re.compile(
    r"""((?:https?|socks\w{0,2})://)[^/?#\s:@\[\]]*:(?!\d{1,5}(?![\w@]))(?:\S*@|[^\s'",;)]*)""", re.IGNORECASE
)
"""A password with a slash, or one whose host was cut off: no address has a colon there that no port follows."""
_QUERY = re.compile(
    r"""\?(?=(?:[^\s"'<>?]*[&;])?(?:x-amz-[\w-]+|signature|sig|policy|key-pair-id"""
    r"""|(?:[\w-]*[_-])?(?:token|key|secret|password|auth|credential))=)[^\s"'<>?]*""",
    re.IGNORECASE,
)
_SIGNED_PATH = re.compile(r"""(/lfs/(?:[^\s/"'?]+/){2,12}\d{9,12}/)[A-Za-z0-9_-]{16,}""")
_AUTHORIZATION = re.compile(
    r"""(authorization["']?\s*[:=]\s*["']?(?:(?:bearer|basic|token)\s+)?|\bbearer\s+(?=\S{16}))[^\s"',}]+""",
    re.IGNORECASE,
)
_in_use: set[str] = set()


def remember(secret: str) -> None:
    """Take this secret out of everything from now on."""
    if len(secret) >= _SHORTEST:
        _in_use.add(secret)


def without_secrets(text: str) -> str:
    """Return text without tokens, signatures, and the user and password of addresses, which stay good for use."""
    for form in {form for secret in _known() for form in _forms(secret) if form in text}:
        text = text.replace(form, "***")
    text = _TOKEN.sub(r"\1_***", text)
    if "://" in text:
        text = _USER.sub(r"\1", text)
        text = _USER_WITH_SPACES.sub(r"\1", text)
        text = _USER_WITH_SLASHES.sub(r"\1***", text)
    if "?" in text:
        text = _QUERY.sub("?***", text)
    if "/lfs/" in text:
        text = _SIGNED_PATH.sub(r"\1***", text)
    return _AUTHORIZATION.sub(r"\1***", text)


def without_secrets_in(value: Any) -> Any:
    """Return a value as JSON has it, with the secrets taken out of every text in it."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {without_secrets_in(key): without_secrets_in(item) for key, item in value.items()}
    return type(value)(map(without_secrets_in, value)) if isinstance(value, list | tuple) else value


def token_in(text: str) -> bool:
    """Tell whether a text holds a token, or another secret that is in use now."""
    return _TOKEN.search(text) is not None or any(form in text for secret in _known() for form in _forms(secret))


def _known() -> Iterator[str]:
    yield from tuple(_in_use)
    yield from (value for name in VARIABLES if len(value := os.environ.get(name, "").strip()) >= _SHORTEST)


def _forms(secret: str) -> tuple[str, ...]:
    """Return a secret as it is, percent-encoded, and in base64, which HTTP shows passwords in."""
    return secret, quote(secret, safe=""), base64.b64encode(secret.encode("utf-8", "replace")).decode()
