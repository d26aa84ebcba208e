"""A served Hub with a repo, the real client, and a client that says whatever it is told to."""

import itertools
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from tests.hub.server.rights import Case
from tests.hub.server.uploads import Ask, asking
from zoo.hub.server.options import Limits, Options
from zoo.hub.server.serving import serve_folder
from zoo.hub.server.store import Store
from zoo.hub.server.trees import Trees

IN_PARTS = Options(limits=Limits(multipart_from=15, part_size=10))
NUMBERS = itertools.count()


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


@pytest.fixture(scope="module")
def hub_in_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with serve_folder(tmp_path_factory.mktemp("table") / "hub", options=IN_PARTS) as hub:
        yield hub


@pytest.fixture
def case(hub_in_parts: Any) -> Iterator[Case]:
    case = Case(hub_in_parts, f"user{next(NUMBERS)}")
    yield case
    case.store.close()


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """Return a case on a Hub of its own, which looks through its uploads in parts all the time."""
    monkeypatch.setattr("zoo.hub.server.parts._SWEEP_SECONDS", 0.01)
    with serve_folder(tmp_path / "alone", options=IN_PARTS) as hub:
        case = Case(hub, "alone")
        yield case
        case.store.close()


@pytest.fixture
def folders_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the folders whose entries are read."""
    folders: list[str] = []
    entries = Trees.entries
    monkeypatch.setattr(Trees, "entries", lambda self, oid, *rest: folders.append(oid) or entries(self, oid, *rest))
    return folders
