"""A served Hub with a repo, the real client, and a client that says whatever it is told to."""

import http.client
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi, constants

from zoo.hub.server.store import Store

Ask = Callable[..., tuple[int, dict[str, str], bytes]]


def asking(url: str) -> Ask:
    def ask(method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=10)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, {key.lower(): value for key, value in response.getheaders()}, response.read()
        finally:
            connection.close()

    return ask


@pytest.fixture
def api(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> HfApi:
    """Return the owner's client of a Hub with the repo org/thing; it uploads by LFS."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    api = HfApi(endpoint=served_hub.url, token=served_hub.token)
    api.create_repo("org/thing")
    return api


@pytest.fixture
def ask(served_hub: Any) -> Ask:
    """Return a function that sends one request and returns status, headers and body."""
    return asking(served_hub.url)


@pytest.fixture
def person(served_hub: Any) -> Callable[..., HfApi]:
    """Return a function that adds a user, by another process's connection, and gives the user's client."""

    def add(name: str, *namespaces: str, scope: str = "write") -> HfApi:
        store = Store(served_hub.folder)
        store.users.add(name, namespaces)
        token = store.users.new_token(store.users.find(name), f"a {scope} token", scope)  # type: ignore[arg-type]
        store.close()
        return HfApi(endpoint=served_hub.url, token=token)

    return add
