"""A plugin that was just written works: its own tests pass, its names are new, and nothing of another one is left."""

import os
import subprocess
import sys
import tempfile
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.authoring.scaffold import OFFERS, write_plugin
from zoo.errors import UsageError
from zoo.registry.registry import default_registry

KINDS = sorted(OFFERS)


def written(folder: Path, kind: str, name: str = "zoo-wood-mouse") -> Path:
    return write_plugin(name, kind, folder / name, default_registry()).folder


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass(site: Any, tmp_path: Path, kind: str) -> None:
    folder = written(tmp_path, kind)
    site.install_package(folder / "zoo_wood_mouse")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("kind", KINDS)
def test_what_it_offers_bears_its_name(site: Any, tmp_path: Path, kind: str) -> None:
    folder = written(tmp_path, kind)
    site.install_package(folder / "zoo_wood_mouse")
    default_registry.cache_clear()
    plugin = next(one for one in default_registry().plugins if one.distribution == "zoo-wood-mouse")
    assert plugin.error is None
    found = {kind: [spec.name for spec in specs] for kind, specs in plugin.offers.items() if specs}
    assert found == {kind: [name.replace("sprout", "wood_mouse")] for kind, name in OFFERS[kind].items()}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_distribution_as_others_are(tmp_path: Path, kind: str) -> None:
    folder = written(tmp_path, kind)
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "zoo-wood-mouse"
    assert project["entry-points"]["zoo"] == {"wood_mouse": "zoo_wood_mouse"}
    for name in ("README.md", "LICENSE", ".gitignore", ".github/workflows/test.yml", "zoo_wood_mouse/py.typed"):
        assert (folder / name).is_file()
    assert "Apache License" in (folder / "LICENSE").read_text()
    texts = [path.read_text() for path in folder.rglob("*") if path.is_file()]
    assert not [text for text in texts if "sprout" in text.lower() or "$version" in text]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_formatted(tmp_path: Path, kind: str) -> None:
    if find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    folder = written(tmp_path, kind)
    for command in (["check", "--select", "B,E,F,I,UP,W"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--line-length", "120", "--isolated", "."],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def test_a_folder_that_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "zoo-wood-mouse").mkdir()
    with pytest.raises(UsageError, match="exists; choose another"):
        written(tmp_path, "model")
    assert not any((tmp_path / "zoo-wood-mouse").iterdir())


@pytest.mark.parametrize(
    "name",
    ["Zoo-Birds", "zoo_birds", "zoo--birds", "zoo-", "-x", "a" * 61, "zoo-class", "zoo-3d", "json", "../x", "zoo"],
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        write_plugin(name, "model", tmp_path / "out", default_registry())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("zoo-cnn", "model", "zoo-cnn 0.1.0 is installed here"),
        ("zoo-vit-tiny-patch16-224", "model", "the model 'vit_tiny_patch16_224' is offered by zoo-transformer"),
        ("zoo-simclr", "recipe", "the recipe 'simclr' is offered by zoo-cnn"),
        ("zoo-translation", "task", "the task 'translation' is offered by zoo-hub"),
        ("zoo-trec", "dataset", "the dataset 'trec' is offered by zoo-hub"),
        ("zoo-text", "modality", "the modality 'text' is offered by zoo-hub"),
        ("zoo-pull", "command", "the command 'pull' is offered by zoo itself"),
        ("torch", "model", "torch .* is installed here"),
    ],
)
def test_a_name_that_is_taken_is_refused_with_its_owner(tmp_path: Path, name: str, kind: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        write_plugin(name, kind, tmp_path / "out", default_registry())
    assert not (tmp_path / "out").exists()


@settings(max_examples=30)
@given(st.text(alphabet="abcz039-_ ./\\\n\u00e9A", max_size=12), st.sampled_from(KINDS))
def test_any_name_is_written_as_python_or_refused(name: str, kind: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            new = write_plugin(name, kind, Path(folder) / "out", default_registry())
        except UsageError:
            assert not list(Path(folder).iterdir())
            return
        for path in new.folder.rglob("*.py"):
            compile(path.read_text(), str(path), "exec")
