"""A plugin whose recipe can be made to fail, in a folder with photos of two classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.cli.painter import CODE, make_photos
from zoo.registry.registry import default_registry

Paint = Callable[..., Any]


@pytest.fixture
def paint(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paint:
    """Return a function that trains with parts of the plugin's code replaced, on `photos`, into `run`."""
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_painter")
    monkeypatch.chdir(tmp_path)
    make_photos(tmp_path / "photos")

    def train(*replaced: tuple[str, str], **options: Any) -> Any:
        code = CODE
        for old, new in replaced:
            assert old in code
            code = code.replace(old, new)
        if not (site.folder / "zoo_painter.py").exists():
            site.install("zoo-painter", code)
        default_registry.cache_clear()
        settings = {"steps": 3, **options.pop("settings", {})}
        return zoo.pretrain("painter", data="photos", out="run", settings=settings, **options)

    return train
