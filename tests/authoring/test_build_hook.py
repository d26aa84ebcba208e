"""A wheel gets its manifest as it is built, by pip and hatchling, from source that is not installed."""

import os
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from zoo.authoring.index import read_wheel
from zoo.authoring.manifest import FILE
from zoo.authoring.scaffold import OFFERS, write_plugin
from zoo.registry.registry import default_registry

pytestmark = pytest.mark.skipif(
    not entry_points(group="hatch", name="zoo"), reason="zoo-hub was installed without its build hook: make install"
)


def built(folder: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    return subprocess.run(
        [*command, "--disable-pip-version-check", "--wheel-dir", str(folder / "dist"), str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, **variables},
    )


def new(tmp_path: Path, kind: str = "model") -> Path:
    return write_plugin("zoo-wood-mouse", kind, tmp_path / "new", default_registry()).folder


def wheel_of(folder: Path) -> Path:
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


@pytest.mark.parametrize("kind", ["model", "modality"])
def test_it_says_what_the_hooks_yield(tmp_path: Path, kind: str) -> None:
    folder = new(tmp_path, kind)
    (folder / "zoo_wood_mouse" / FILE).write_text("{}")  # an earlier one, which is stale
    done = built(folder, HATCH_BUILD_HOOK_ENABLE_ZOO="1")
    assert done.returncode == 0, done.stdout + done.stderr
    found = read_wheel(wheel_of(folder))
    names = {kind: [offer.name for offer in offers] for kind, offers in found.offers.items()}
    assert names == {kind: [name.replace("sprout", "wood_mouse")] for kind, name in OFFERS[kind].items()}


def test_a_package_below_src_is_found(tmp_path: Path) -> None:
    folder = new(tmp_path)
    (folder / "src").mkdir()
    (folder / "zoo_wood_mouse").rename(folder / "src" / "zoo_wood_mouse")
    project = folder / "pyproject.toml"
    project.write_text(project.read_text().replace('["zoo_wood_mouse"]', '["src/zoo_wood_mouse"]'))
    done = built(folder, HATCH_BUILD_HOOK_ENABLE_ZOO="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(read_wheel(wheel_of(folder)).offers) == ["models"]


def test_what_does_not_load_is_not_built(tmp_path: Path) -> None:
    folder = new(tmp_path)
    (folder / "zoo_wood_mouse" / "__init__.py").write_text("raise SystemExit('broken')")
    done = built(folder, HATCH_BUILD_HOOK_ENABLE_ZOO="1")
    assert done.returncode and "zoo-wood-mouse does not load, and gets no zoo-plugin.json" in done.stdout + done.stderr


def test_whoever_only_installs_it_needs_no_zoo_to_build_it(tmp_path: Path) -> None:
    folder = new(tmp_path)
    (folder / "zoo_wood_mouse" / "__init__.py").write_text("raise SystemExit('imported')")
    done = built(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [name for name in zipfile.ZipFile(wheel_of(folder)).namelist() if name.endswith(FILE)]
