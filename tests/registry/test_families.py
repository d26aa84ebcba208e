"""Families: many models known by name, described when one is asked for; their weights are pinned by the first pull."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import zoo
from tests import tiny
from zoo.errors import IntegrityError, NotFoundError, PluginError, StorageError
from zoo.hub.push import push_folder
from zoo.registry.registry import default_registry
from zoo.weights.lockfile import read_lock

CODE = """
import zoo

@zoo.hookimpl
def zoo_families():
    yield zoo.FamilySpec(name="shelf", summary="Many tiny nets", target="zoo_shelf_table:family", models=3, weights=2)
"""
TABLE = """
import zoo

class Shelf:
    def models(self):
        return ["small", "large", "tiny"]

    def model(self, name):
        return zoo.ModelSpec(name=name, family="shelf", summary="one of many", target="zoo_tiny:Tiny",
                             task="image-classification", parameters=7, fallback=True)

    def weights(self):
        return ["small.a", "small.b"]

    def entry(self, name):
        return {"repo": "org/small", "task": "image-classification", "license": "mit", "scores": {"accuracy": 0.5}}

family = Shelf()
"""


@pytest.fixture
def shelf(site: Any) -> None:
    """Install a family beside zoo-tiny, whose model it has too."""
    tiny.install(site)
    site.install("zoo-shelf", CODE)
    (site.folder / "zoo_shelf_table.py").write_text(TABLE)
    default_registry.cache_clear()


def test_the_table_is_read_for_a_name_of_its_own_alone(shelf: None) -> None:
    code = """if True:
    import sys
    from zoo.registry.registry import default_registry
    known = default_registry()
    known.model("tiny"), known.models(), [offer.spec.models for offer in known.families()]
    assert "zoo_shelf_table" not in sys.modules, "what others offer needs no table"
    assert known.model("small").spec.parameters == 7
    assert "zoo_shelf_table" in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_name_of_another_plugin_is_that_ones_and_family_slash_name_the_familys(shelf: None) -> None:
    known = default_registry()
    assert known.model("tiny").plugin.distribution == "zoo-tiny"
    assert known.model("shelf/tiny").plugin.distribution == "zoo-shelf"
    assert known.model("tiny", "zoo-shelf").plugin.distribution == "zoo-shelf", "weights that name it get it"
    assert "tiny" not in [offer.spec.name for offer in known.family_models()]
    assert zoo.list_models("*", family="shelf") == ["large", "small"]
    with pytest.raises(NotFoundError, match="did you mean large"):
        known.model("larg")


def test_weights_of_a_family_come_back_as_its_own(shelf: None, tmp_path: Path) -> None:
    model: Any = zoo.create("shelf/tiny", width=6)
    zoo.save(model, tmp_path / "weights")
    assert zoo.describe(tmp_path / "weights").plugin == "zoo-shelf"
    assert zoo.load(tmp_path / "weights").stem.weight.shape[0] == 6


def test_weights_are_listed_with_what_is_known_of_them(shelf: None) -> None:
    assert zoo.list_weights("small*") == ["small.a", "small.b"]
    found = zoo.published("small.b")
    assert (found.plugin, found.license, found.files, found.scores) == ("zoo-shelf", "mit", {}, {"accuracy": 0.5})


def test_a_table_that_fails_names_its_plugin(shelf: None, site: Any) -> None:
    (site.folder / "zoo_shelf_table.py").write_text("family = 1 / 0")
    assert default_registry().model("tiny").spec.name == "tiny"
    with pytest.raises(PluginError, match="family 'shelf' of zoo-shelf 1.0 failed: ZeroDivisionError"):
        default_registry().model("small")


def test_an_entry_that_says_too_little_is_refused(shelf: None, site: Any) -> None:
    (site.folder / "zoo_shelf_table.py").write_text(TABLE.replace('"license": "mit", ', ""))
    with pytest.raises(IntegrityError, match="weights 'small.a' of zoo-shelf are refused: .*license"):
        zoo.published("small.a")


def test_the_first_pull_pins_and_a_later_one_that_differs_says_so(
    shelf: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served_hub: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    source, hub = tmp_path / "source", served_hub.url
    tiny.make_weights(source)
    first = push_folder(source, "org/small", hub=hub, message="first")
    assert zoo.pull("small.a", hub=hub).commit == first.commit
    assert read_lock()["small.a"].commit == first.commit
    (source / "README.md").write_text("Another card is no other model.")
    push_folder(source, "org/small", hub=hub, message="a card")
    assert zoo.load("small.a", hub=hub).num_classes == 2
    (source / "recipe.toml").unlink()
    (source / "config.json").write_text((source / "config.json").read_text().replace("dog", "cow"))
    other = push_folder(source, "org/small", hub=hub, message="other labels")
    with pytest.raises(IntegrityError, match="config.json of org/small has .* by zoo.lock, .*--locked.*--lock"):
        zoo.pull("small.a", hub=hub)
    assert zoo.pull("small.a", hub=hub, locked=True).commit == first.commit
    assert zoo.pull("small.a", hub=hub, lock=True).commit == other.commit
    assert read_lock()["small.a"].commit == other.commit
    assert zoo.pull("small.a", hub=hub).commit == other.commit


def test_where_nothing_can_be_pinned_a_warning_says_so(
    shelf: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served_hub: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tiny.make_weights(tmp_path / "source")
    push_folder(tmp_path / "source", "org/small", hub=served_hub.url, message="first")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("zoo.weights.lockfile.write_lock", _full)
    assert zoo.load("small.a", hub=served_hub.url).num_classes == 2
    assert "small.a is not pinned: the disk is full" in caplog.text


def _full(*arguments: Any) -> None:
    raise StorageError("the disk is full")
