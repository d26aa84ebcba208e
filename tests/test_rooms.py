"""The contracts of import-linter in pyproject.toml name every room."""

import tomllib
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[1]


def contracts() -> dict[str, dict[str, Any]]:
    """Return the contracts by what they hold."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    return {contract["name"]: contract for contract in project["tool"]["importlinter"]["contracts"]}


def test_every_room_and_every_module_beside_them_has_its_place() -> None:
    found = {path.stem for path in (TOP / "zoo").iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert set(contracts()["Rooms stand in one order"]["layers"]) == found - {"__init__"}


def test_plugins_are_kept_out_of_every_room_but_commands_and_testing() -> None:
    rooms = contracts()["Rooms stand in one order"]["layers"]
    kept_out = contracts()["Plugins import Zoo's public names, zoo.commands and zoo.testing alone"]["forbidden_modules"]
    assert set(kept_out) == {f"zoo.{room}" for room in rooms} - {"zoo.commands", "zoo.testing"}


def test_whatever_lies_below_hub_is_light() -> None:
    rooms = contracts()["Rooms stand in one order"]["layers"]
    light = contracts()["From hub downwards there is no torch and no numpy"]["source_modules"]
    assert light == [f"zoo.{room}" for room in rooms[rooms.index("hub") :]]
