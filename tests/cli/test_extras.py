"""Extras: the table is what pyproject.toml says, and whatever misses one names the line to type."""

import re
import shutil
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.extras import EXTRAS

TOP = Path(__file__).parents[2]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
OPTIONAL: dict[str, list[str]] = PROJECT["optional-dependencies"]
UNDECLARED = {"pyarrow"}
"""What another distribution of the extra brings."""


def distributions_of(extra: str) -> set[str]:
    """Return what pyproject.toml lists."""
    return {re.split(r"[\[>=<]", line)[0] for line in OPTIONAL[extra]}


def test_the_table_is_that_of_pyproject() -> None:
    assert [extra.name for extra in EXTRAS] == [name for name in OPTIONAL if name not in ("all", "test", "dev", "docs")]
    homes = packages_distributions()
    for extra in EXTRAS:
        for module in set(extra.modules) - UNDECLARED:
            names = {name.lower().replace("_", "-") for name in homes.get(module, [module])}
            assert names & distributions_of(extra.name), (extra.name, module)
        assert len(extra.modules) == len(OPTIONAL[extra.name]) + len(set(extra.modules) & UNDECLARED)


def test_all_brings_every_extra_and_plugin() -> None:
    own, *plugins = OPTIONAL["all"]
    assert own == f"zoo-hub[{','.join(extra.name for extra in EXTRAS)}]"
    projects = (TOP / "plugins").glob("*/pyproject.toml")
    assert plugins == sorted(tomllib.loads(path.read_text())["project"]["name"] for path in projects)


def test_training_without_its_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(zoo.UsageError, match=r"training needs the train extra: pip install 'zoo-hub\[train\]'"):
        zoo.pretrain("nothing", data="nothing", out=tmp_path / "run")


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        ("uvicorn", ("hub", "serve", "hub"), "a Hub of one's own needs the serve extra"),
        ("lz4", ("push", "weights", "me/tiny", "--hub", "hub", "--public"), "a Hub of one's own needs the serve extra"),
        ("PIL", ("pretrain", "painter", "--data", "photos", "--out", "run"), "training needs the train extra"),
        ("model_signing", ("verify", "weights", "--signature", "key.pem"), "a signature needs the sign extra"),
        ("onnx", ("export", "weights", "--to", "onnx", "--out", "it.onnx"), "--to onnx needs the onnx extra"),
    ],
)
def test_a_command_without_its_extra(
    module: str, arguments: tuple[str, ...], said: str, tiny: Any, says: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert f"{said}: pip install 'zoo-hub[" in says(*arguments, code=2)


@pytest.mark.parametrize("module", ["matplotlib", "uvicorn"])
def test_the_demo_asks_for_all_that_it_needs_before_it_starts(
    module: str, says: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    assert "the demo needs the " in says("demo", "--out", "here", code=2)
    assert not Path("here").exists()


def test_no_hub_is_made_where_none_can_be_served(tiny: Any, says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    says("push", "weights", "me/tiny", "--hub", "hub", "--public", code=2)
    assert not Path("hub").exists()


def test_data_of_a_hub_without_its_extra(painter: None, says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    said = says("pretrain", "painter", "--data", "hf://datasets/me/it", "--out", "run", code=2)
    assert "hf://datasets/me/it needs the data extra: pip install 'zoo-hub[data]'" in said


def test_a_library_that_is_imported_in_passing(trained: str, says: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(trained, "again")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = says("runs", "compare", trained, "again", "--out", "curves.png", code=2)
    assert said == "zoo: this command needs the train extra: pip install 'zoo-hub[train]'\n"
