"""A served Hub with a repo, the real client, and a client that says whatever it is told to."""

import http.client
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from huggingface_hub import HfApi, constants

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
def old_store(tmp_path: Path) -> Path:
    """Return a folder that a Hub of layout 2 wrote; stores/make.py says what is in it."""
    with tarfile.open(Path(__file__).parent / "stores" / "version_2.tar.gz") as archive:
        archive.extractall(tmp_path / "old", filter="tar")
    return tmp_path / "old" / "hub"
