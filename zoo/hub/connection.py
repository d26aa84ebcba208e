"""Which Hub to talk to: a URL, or a folder that Zoo serves for as long as it is needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from zoo.errors import NetworkError, NotFoundError, UsageError

PUBLIC = "https://huggingface.co"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Connection:
    """A Hub's address, and a token for it; None leaves the token to huggingface_hub."""

    url: str
    token: str | None = field(default=None, repr=False)

    @property
    def local(self) -> bool:
        """Tell whether this is a Hub on this machine."""
        return urlsplit(self.url).hostname in _LOOPBACK


@contextmanager
def connect(hub: str | Path | None, *, create: bool = False) -> Iterator[Connection]:
    """Connect to a Hub for the length of the block.

    `hub` is a URL or a folder; None takes `$ZOO_HUB`, or the public Hub. A folder is served meanwhile; `create` makes
    one that is not there.
    """
    where = str(hub or os.environ.get("ZOO_HUB") or PUBLIC)
    if "://" in where:
        if urlsplit(where).scheme not in ("http", "https") or not urlsplit(where).hostname:
            raise UsageError(f"--hub {where} is no http address; give one such as http://127.0.0.1:8000, or a folder")
        with _reachable(connection := Connection(where.rstrip("/"))):
            yield connection
        return
    from zoo.hub.server.folder import holds_store
    from zoo.hub.server.serving import serve_folder

    if not create and not holds_store(Path(where)):
        raise NotFoundError(f"no Hub in the folder {where}; push something to it first, or give another --hub")

    with serve_folder(Path(where)) as served, _reachable(connection := Connection(served.url, served.token)):
        yield connection


@contextmanager
def _reachable(connection: Connection) -> Iterator[None]:
    """Let a Hub on this machine be reached: past proxies, and by plain uploads, which it takes.

    huggingface_hub makes one client for the process, which reads the proxies from the environment when it is made.
    """
    if not connection.local:
        yield
        return
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    if constants.is_offline_mode():
        raise NetworkError(
            f"HF_HUB_OFFLINE is set, which forbids {connection.url} too; unset it for a Hub on this machine"
        )
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    proxied = any(os.environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"))
    xet = constants.HF_HUB_DISABLE_XET
    if proxied:
        local = ",".join(filter(None, [before["NO_PROXY"] or before["no_proxy"], *_LOOPBACK]))
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = local
        close_session()
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = xet
        close_session()
        for name, value in before.items():
            if proxied:
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
