"""A town around a Hub, once for the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attacks.hub_process import hub_process
from tests.attacks.town import Town, make_town


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Serve a filled Hub; beside its folder lies what no request may change."""
    folder = tmp_path_factory.mktemp("town")
    beside = folder / "beside"
    beside.mkdir()
    (beside / "notes.txt").write_text("untouched")
    index = folder / "index"
    index.mkdir()
    for name in ("index.html", "index.json"):
        (index / name).write_text("{}")
    (index / "link.json").symlink_to(beside / "notes.txt")
    with hub_process(folder / "hub", "--idle-timeout", "20", "--plugins", str(index)) as hub:
        made = make_town(hub)
        yield made
        made.close()
    assert [path.name for path in sorted(folder.iterdir())] == ["beside", "hub", "hub.said", "index"]
    assert (beside / "notes.txt").read_text() == "untouched"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder with a file, which nothing may change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "notes.txt").write_text("untouched")
    return folder
