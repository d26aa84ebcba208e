"""What people get wrong at the shell: each is told its cause, and commands that work as they stand."""

import importlib.util
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.cli import mistakes
from zoo.cli import group
from zoo.registry.registry import default_registry

TOLD = mistakes.read()
KNOWN = {offer.spec.name for offer in default_registry().offers("models")}
pytestmark = pytest.mark.skipif(
    not set(mistakes.PLUGINS) <= KNOWN, reason="needs every plugin of Zoo, whose names are suggested"
)
SUGGESTED = re.compile(r"`(zoo [^`]+)`|: (zoo [^`;]+?)(?=$|, | or |; |\n)")
SAFE = ("list", "plugins", "recipes", "info")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ZOO_CACHE", "HF_HOME", "XDG_CONFIG_HOME"):
            patch.setenv(name, str(folder / name))
        default_registry.cache_clear()
        (folder / "world").mkdir()
        mistakes.make_world(folder / "world")
    yield folder / "world"


@pytest.mark.parametrize("command", TOLD)
def test_a_mistake_is_told_as_it_stands(command: str, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "onnx " in command and importlib.util.find_spec("onnx"):
        pytest.skip("the extra is installed")
    monkeypatch.chdir(world)
    monkeypatch.setenv("ZOO_HUB", "hub")
    before = sorted(os.listdir())
    assert mistakes.answer(command) == TOLD[command]
    assert sorted(os.listdir()) == before


def test_there_are_a_hundred_and_more() -> None:
    assert len(TOLD) >= 100


@pytest.mark.parametrize("command", TOLD)
def test_a_mistake_has_a_cause_a_code_and_a_cure(command: str) -> None:
    code, _, text = TOLD[command].partition(" ")
    last = text.splitlines()[-1]
    assert int(code) in range(2, 10) and last.startswith("zoo: ")
    assert re.search("[;?:] ", last.removeprefix("zoo: ")), "what to do next"
    assert "unexpected " not in last.replace("unexpected extra", "") and "report it" not in last


def _said(text: str) -> str:
    return re.sub(r"^(\d )?zoo: ", "", text, flags=re.MULTILINE)


def suggested() -> list[str]:
    found = {one or two for text in TOLD.values() for one, two in SUGGESTED.findall(_said(text))}
    return sorted(command.strip() for command in found)


@pytest.mark.parametrize("command", suggested())
def test_a_command_that_is_suggested_works(command: str, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world)
    words = shlex.split(command.partition(" > ")[0])[1:]
    bare = words[-1].isalpha() and not parsed(words, bare=True)
    if not bare:
        parsed(words)
    if "--help" in words or (words[0] in SAFE and not re.search(r"\b[A-Z]{3,}\b", command)):
        code, said = mistakes.zoo(*words)
        assert (code, said) == (0, "")


def parsed(words: list[str], *, bare: bool = False) -> bool:
    """Parse a command as it would be typed; `bare` ones only name a command, whose arguments the reader knows."""
    context = click.Context(group, info_name="zoo", obj=words)
    command: click.Command = group
    rest = words
    while isinstance(command, click.Group) and rest != ["--help"]:
        found = command.get_command(context, rest[0])
        assert found is not None, f"there is no command {rest[0]}"
        command = found.load() if hasattr(found, "load") else found
        context, rest = click.Context(command, info_name=rest[0], parent=context), rest[1:]
        if bare and not rest:
            return False
    if "--help" not in rest:
        command.make_context(words[0], list(rest), parent=context.parent)
    return True
