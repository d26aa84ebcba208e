"""A plugin that lies beside the tests is installed for a module, and its model trained for a class."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.registry.registry import default_registry


@pytest.fixture(scope="module", autouse=True)
def plugin(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Install the package that a module of tests names as PLUGIN."""
    package: Path | None = getattr(request.module, "PLUGIN", None)
    if package is None:
        yield None
        return
    site = request.getfixturevalue("module_site")
    site.install_package(package)
    default_registry.cache_clear()
    yield site


@dataclass(frozen=True)
class Trained:
    """Where runs lie, and what came of them."""

    folder: Path
    pretrained: Any
    finetuned: Any


@pytest.fixture(scope="class")
def trained(request: pytest.FixtureRequest, plugin: Any, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Pretrain and finetune the model of a class of tests on its data set."""
    tests: Any = request.cls
    folder = tmp_path_factory.mktemp("runs")
    common: dict[str, Any] = {"data": tests.data, "settings": dict(tests.quick)}
    first = zoo.pretrain(tests.model, out=folder / "first", **common)
    return Trained(folder, first, zoo.finetune(first.folder, task=tests.task, out=folder / "second", **common))
