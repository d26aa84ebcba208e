"""Words that the Hub signs and later recognises: addresses to upload to, and tokens for the Xet routes."""

import hashlib
import hmac
import time

from zoo.hub.server.http import HttpError


def sign(key: bytes, *parts: str) -> str:
    """Return a signature over parts that hold no line ends."""
    return hmac.new(key, "\n".join(parts).encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def check(key: bytes, signature: str, expires: str, *parts: str) -> None:
    """Raise HttpError 403 unless the signature is this Hub's over the parts, and its time has not come."""
    right = sign(key, *parts, expires)
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), right.encode()) or int(expires) < time.time():
        raise HttpError(403, "The address or token of this upload is not valid, or no longer")
