"""What can be set of a model is read from its source, which never runs."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo.registry.signatures import Argument, arguments_of

SOURCE = '''
"""A bird. `tail` feathers are counted in pairs. Another sentence."""
raise SystemExit("imported")
from sprout_base import Base as Nest
from .near import Near

class Wren(Nest):
    """Sings.

    Args:
        width (int): How wide it is,
            wings included.
        notes: What it sings.
    """
    def __init__(self, *, width: int = 3, notes: list[int] = [1, 2], tail=None, **more): ...

class Robin(Wren):
    """Has what a wren has."""

class Jay(Nest): ...
class Kite(Near): ...
class Loop(Loop): ...

def make(size: "int", /, *, loud: bool = False):
    """Make one.

    :param loud: Whether it is heard.
    """
'''
BASE = "class Base:\n    def __init__(self, eggs: int): ...\n"


@pytest.fixture
def birds(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "sprout_base.py").write_text(BASE)
    package = tmp_path / "sprout_birds"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "wren.py").write_text(SOURCE)
    (package / "near.py").write_text("class Near:\n    def __init__(self, near=1): ...\n")
    (package / "broken.py").write_text("def")
    monkeypatch.syspath_prepend(str(tmp_path))


def test_names_types_defaults_and_meanings_are_read(birds: None) -> None:
    wren = [
        Argument(name="width", type="int", default="3", meaning="How wide it is, wings included."),
        Argument(name="notes", type="list[int]", default="[1, 2]", meaning="What it sings."),
        Argument(name="tail", default="None", meaning="`tail` feathers are counted in pairs."),
    ]
    assert arguments_of("sprout_birds.wren:Wren") == wren
    assert arguments_of("sprout_birds.wren:Robin") == wren
    assert arguments_of("sprout_birds.wren:Jay") == [Argument(name="eggs", type="int")]
    assert arguments_of("sprout_birds.wren:Kite") == [Argument(name="near", default="1")]
    assert arguments_of("sprout_birds.wren:make") == [
        Argument(name="size", type="'int'"),
        Argument(name="loud", type="bool", default="False", meaning="Whether it is heard."),
    ]


@pytest.mark.parametrize("target", ["wren:None", "wren:Loop", "broken:Wren", "none:Wren"])
def test_where_the_source_says_nothing_there_is_nothing(birds: None, target: str) -> None:
    assert arguments_of(f"sprout_birds.{target}") == []
    assert arguments_of("math:sin") == arguments_of("nowhere.at_all:x") == []


def test_zoo_info_of_a_model_stays_without_torch() -> None:
    pytest.importorskip("zoo_cnn")
    code = (
        "import sys; from zoo.cli import run; code = run(['info', 'resnet20']); "
        "sys.exit(code or bool({'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ARGUMENT" in done.stdout and "--arg NAME=VALUE sets one" in done.stdout
