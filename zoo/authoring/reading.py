"""Read a plugin index that somebody else wrote: a folder, or an address, such as a Hub's /plugins."""

from dataclasses import replace
from pathlib import Path

import msgspec

from zoo.authoring.indexed import INDEX_FILE, SCHEMA_VERSION, Indexed, check_names, check_version
from zoo.errors import AuthorizationError, IntegrityError, NetworkError, NotFoundError
from zoo.printable import printable
from zoo.strict_json import parse_json

MAX_BYTES = 5 * 1024 * 1024
MAX_PLUGINS = 10_000
_SLOWEST = 32 * 1024
"""Bytes a second, by which even the largest index comes in three minutes."""


def read_index(where: str) -> list[Indexed]:
    """Return the plugins of an index, a folder or an http URL of one. All names in it are checked.

    Raise NotFoundError where there is none, NetworkError where nobody answers, and IntegrityError for what is no index.
    """
    if "://" in where:
        url = where.removesuffix(INDEX_FILE).rstrip("/")
        source, content = f"{url}/{INDEX_FILE}", _fetched(url)
    else:
        path = Path(where) / INDEX_FILE
        source, content = str(path), _read(path)
    value = parse_json(content, source, max_bytes=MAX_BYTES)
    if value.get("schema_version") != SCHEMA_VERSION:
        raise IntegrityError(f"{source} has another schema_version than {SCHEMA_VERSION}; upgrade zoo-hub")
    try:
        plugins = msgspec.convert(value.get("plugins"), tuple[Indexed, ...])
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{source} is no plugin index: {printable(str(error))}; tell its owner") from None
    if len(plugins) > MAX_PLUGINS:
        raise IntegrityError(f"{source} lists more than {MAX_PLUGINS:,} plugins; tell its owner")
    for plugin in plugins:
        check_names(plugin.name, plugin.version, plugin.offers, source)
        for found in plugin.conformance:
            check_version(found.zoo, source)
    return list(plugins)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotFoundError(f"no plugin index in {path.parent}: {error.strerror}; give its folder or URL") from None


def _fetched(url: str) -> bytes:
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    from zoo.hub.connection import connect
    from zoo.hub.credentials import way_in
    from zoo.hub.failures import hub_errors
    from zoo.hub.retry_policy import default_retry_policy
    from zoo.hub.transport import Transport

    with connect(url) as connection, hub_errors("a plugin index", None, connection.url):
        address = f"{connection.url}/{INDEX_FILE}"
        try:
            patience = replace(default_retry_policy(), slowest=_SLOWEST, attempts=3)
            return Transport(connection, patience).content(address, MAX_BYTES)
        except OfflineModeIsEnabled:
            raise NetworkError(f"HF_HUB_OFFLINE is set, and {address} needs a network; unset it") from None
        except HfHubHTTPError as error:
            status = error.response.status_code
            if status in (401, 403):
                raise AuthorizationError(f"{address} is not shown to you; log in: {way_in(url)}") from None
            raise NotFoundError(f"no plugin index at {connection.url}: {status}; check the address") from None
