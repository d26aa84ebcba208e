"""Which Hub to talk to: a URL, or a folder that Zoo serves for as long as it is needed."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zoo.errors import NetworkError, NotFoundError, UsageError, ZooError
from zoo.hub.credentials import PUBLIC as PUBLIC
from zoo.hub.credentials import Credentials, credentials_for, default_hub, given, origin_of, without_user
from zoo.hub.endpoint import LOOPBACK
from zoo.hub.endpoint import Connection as Connection

_connected: list[Connection] = []


@contextmanager
def connect(hub: str | Path | None, *, create: bool = False, token: str | None = None) -> Iterator[Connection]:
    """Connect to a Hub for the length of the block.

    `hub` is a URL or a folder; None takes `$ZOO_HUB`, `$HF_ENDPOINT`, or the public Hub. A folder is served meanwhile;
    `create` makes one that is not there. `token` is one for this Hub; None takes what is meant for it.
    """
    where = str(hub or default_hub())
    if "://" in where:
        with _reachable(connection := _connection(where, token)):
            yield connection
        return
    from zoo.hub.server.folder import holds_store
    from zoo.hub.server.serving import serve_folder

    if not create and not holds_store(Path(where)):
        raise NotFoundError(f"no Hub in the folder {where}; push something to it first, or give another --hub")
    with serve_folder(Path(where)) as served, _called(where, served.url):
        credentials = given(token or served.token) or Credentials()
        with _reachable(connection := Connection(served.url, credentials, where)):
            yield connection


@contextmanager
def _called(folder: str, url: str) -> Iterator[None]:
    """Name a folder in the errors of the block, where they name the address at which it is served."""
    try:
        yield
    except ZooError as error:
        error.args = tuple(item.replace(url, folder) if isinstance(item, str) else item for item in error.args)
        raise


def _connection(where: str, token: str | None) -> Connection:
    try:
        parts = urlsplit(where)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        good = good and not parts.query and not parts.fragment and where.isprintable() and " " not in where
    except ValueError:
        good = False
    if not good:
        shown = re.split("[?#]", where.rpartition("@")[2])[0]  # whatever is wrong with it, a password stays unseen
        raise UsageError(f"--hub {shown} is not an http URL; give one such as http://127.0.0.1:8000, or a folder")
    return Connection(without_user(where).rstrip("/"), given(token) or credentials_for(where))


@contextmanager
def _reachable(connection: Connection) -> Iterator[None]:
    """Let a Hub be shown what is meant for it, and one on this machine be reached past proxies, by plain uploads.

    huggingface_hub makes one client for the process, which reads the proxies from the environment when it is made.
    """
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    if connection.local and constants.is_offline_mode():
        raise NetworkError(
            f"HF_HUB_OFFLINE is set, which disables {connection.url} too; unset it for a Hub on this machine"
        )
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    proxies = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    proxied = connection.local and any(os.environ.get(name) for name in proxies)
    xet = constants.HF_HUB_DISABLE_XET
    if proxied:
        local = ",".join(filter(None, [before["NO_PROXY"] or before["no_proxy"], *LOOPBACK]))
        os.environ["NO_PROXY"] = os.environ["no_proxy"] = local
        close_session()
    if connection.local or connection.credentials.basic:
        constants.HF_HUB_DISABLE_XET = True  # its own client knows tokens alone
    try:
        with _showing(connection):
            yield
    finally:
        constants.HF_HUB_DISABLE_XET = xet
        if connection.local:
            close_session()
        for name, value in before.items():
            if proxied:
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})


@contextmanager
def _showing(connection: Connection) -> Iterator[None]:
    """Watch over huggingface_hub's requests meanwhile: it goes where a Hub's lists and answers lead it."""
    from huggingface_hub.utils import get_session

    hooks: list[Any] = get_session().event_hooks["request"]
    if _watch not in hooks:
        hooks.append(_watch)
    _connected.append(connection)
    try:
        yield
    finally:
        _connected.remove(connection)


def _watch(request: Any) -> None:
    """Take from a request what is meant for another Hub; show a Hub the password that is meant for it."""
    sent = request.headers.get("authorization")
    try:
        origin = origin_of(str(request.url))
    except ValueError:  # where a Hub sends an upload to
        raise NetworkError(f"{str(request.url)[:200]!r} is no address; tell the Hub's owner") from None
    connected = tuple(_connected)
    here = [each.credentials for each in connected if origin_of(each.url) == origin]
    known = {each.credentials.header for each in connected}
    if sent and sent in known and sent not in [each.header for each in here]:
        del request.headers["authorization"]
    elif not sent and (passwords := [each.basic for each in here if each.basic]):
        request.headers["authorization"] = passwords[0]
