"""How weights are asked is said by the specs of their modality and task, those of plugins too."""

from pathlib import Path
from typing import Any

import pytest

from zoo.commands.asking import asked
from zoo.errors import NotFoundError
from zoo.registry.registry import default_registry

MODALITIES = Path(__file__).parents[1] / "modalities"


def test_what_an_item_is_typed_as_and_whether_it_is_drawn() -> None:
    assert [asked(name, "a-task").modality.typed for name in ("image", "text")] == ["file", "text"]
    assert [asked(name, "a-task").modality.draws for name in ("image", "text")] == [True, False]


def test_sounds_of_a_plugin_are_files_and_not_drawn(site: Any) -> None:
    site.install_package(MODALITIES / "zoo_tones")
    default_registry.cache_clear()
    found = asked("tone", "tone-classification")
    assert (found.modality.typed, found.modality.draws, found.modality.suffixes) == ("file", False, (".wav",))
    assert found.task is not None and found.task.command == "predict" and found.options == ()


def test_options_are_those_of_the_modality_and_then_of_the_task(site: Any) -> None:
    site.install_package(MODALITIES / "zoo_pairs")
    default_registry.cache_clear()
    assert [option.name for option in asked("preferences", "item-ranking").options] == ["user", "top"]
    unknown = asked("text", "item-guessing")
    assert unknown.task is None and [option.name for option in unknown.options] == ["text", "pair"]


def test_a_modality_that_nobody_offers() -> None:
    with pytest.raises(NotFoundError, match="smell"):
        asked("smell", "tone-classification")
