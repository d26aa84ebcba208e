"""Every test has folders of its own, and can install real distributions."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from zoo.registry.registry import default_registry
from zoo.testing import served_hub as served_hub

Zoo = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep caches and configuration out of the user's own, and the registry fresh."""
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "zoo-cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    variables = ("ZOO_REGISTRY", "ZOO_HUB", "ZOO_HUB_TOKEN", "ZOO_LOAD_PLUGINS", "HF_ENDPOINT", "HF_TOKEN")
    for name in (*variables, "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    default_registry.cache_clear()
    yield
    default_registry.cache_clear()


class Site:
    """A folder of real distributions, seen by this process and by those it starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        name: str,
        code: str,
        *,
        requires: tuple[str, ...] = (),
        entry_point: str | None = None,
        version: str = "1.0",
    ) -> None:
        """Install a distribution whose one module has this code."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(code)
        self._describe(name, module, version, requires, entry_point or module)

    def install_package(self, package: Path, *, version: str = "1.0") -> None:
        """Install a distribution that holds a copy of a package, under its name with hyphens."""
        shutil.copytree(package, self.folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
        self._describe(package.name.replace("_", "-"), package.name, version, (), package.name)

    def _describe(self, name: str, module: str, version: str, requires: tuple[str, ...], entry_point: str) -> None:
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        (info / "METADATA").write_text("\n".join([*lines, *(f"Requires-Dist: {item}" for item in requires)]) + "\n")
        (info / "entry_points.txt").write_text(f"[zoo]\n{entry_point} = {module}\n")


@contextmanager
def _a_site(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    yield Site(folder)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Return an empty folder of distributions."""
    with _a_site(tmp_path / "site", monkeypatch) as site:
        yield site


@pytest.fixture(scope="module")
def module_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return an empty folder of distributions that stays for all tests of a module, with a cache of its own."""
    folder = tmp_path_factory.mktemp("module")
    with pytest.MonkeyPatch.context() as monkeypatch, _a_site(folder / "site", monkeypatch) as site:
        monkeypatch.setenv("ZOO_CACHE", str(folder / "zoo-cache"))
        default_registry.cache_clear()
        yield site
    default_registry.cache_clear()


@pytest.fixture
def zoo_command() -> Zoo:
    """Return a function that runs `zoo` in a fresh process."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "zoo", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
            timeout=120,
        )

    return run


@pytest.fixture
def make_run() -> Callable[..., Any]:
    """Return a function that makes a run folder with two lines of metrics, which may be finished."""
    from zoo.engine.run import Run

    resolved: dict[str, Any] = {
        "kind": "pretrain",
        "model": "tiny",
        "arguments": {"widths": [1, 2]},
        "recipe": "reconstruction",
        "settings": {"epochs": 4, "learning_rate": 0.001},
        "data": {"name": "pictures", "fingerprint": "00"},
        "command": "zoo pretrain tiny",
    }

    def make(folder: Path, *, finished: bool = False, **changed: Any) -> Run:
        run = Run.create(folder, resolved={**resolved, **changed})
        run.log({"event": "train", "step": 1, "epoch": 0, "loss": 0.5, "rate": 1.0})
        run.log({"event": "validation", "step": 2, "epoch": 0, "mse": 0.25})
        if finished:
            run.log({"event": "test", "mse": 0.125})
            (folder / "weights").mkdir()
            (folder / "weights" / "config.json").write_text("{}")
        return run

    return make
