"""Write what is made from what is really there; `--check` only compares.

That is docs/reference.md (commands, hooks, specs, settings), zoo/__init__.pyi (for type checkers, from the table of
names in zoo/__init__.py), tests/surface/surface.txt (all that others build on, so that reviews see it change),
docs/equal.md (which sums equal whose, from tests/equal/*.toml), and docs/models.md (which model and which weights).

python docs/generate.py [--check]
"""

import dataclasses
import inspect
import sys
from pathlib import Path
from typing import Any

import click
from equal import equal
from models import models
from surface import surface

import zoo
from zoo.cli import Commands, LazyCommand, group
from zoo.registry.recipe_settings import recipe_settings, settings_toml
from zoo.registry.registry import default_registry
from zoo.specs import hooks

TOP = Path(__file__).parents[1]


def commands(command: click.Command, path: str) -> list[str]:
    """Return a command's help, and that of its subcommands."""
    command = command.load() if isinstance(command, LazyCommand) else command
    context = click.Context(command, info_name=path, max_content_width=100, terminal_width=100)
    parts = [f"### {path}", f"```text\n{command.get_help(context)}\n```"]
    if isinstance(command, click.Group) and not isinstance(command, Commands):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None, "it was listed"
            parts += commands(subcommand, f"{path} {name}")
    return parts


def spec(kind: str, spec_type: Any) -> list[str]:
    """Return a hook's and its record's description."""
    hook = getattr(hooks, f"zoo_{kind}")
    names = {field.name for field in dataclasses.fields(spec_type)}
    signature = ", ".join(name for name in inspect.signature(spec_type).parameters if name in names)
    text = inspect.getdoc(spec_type)
    return [
        f"### `zoo_{kind}()`",
        f"{inspect.getdoc(hook)} Yields `zoo.{spec_type.__name__}`.",
        f"`{signature}`",
        str(text),
    ]


def reference() -> str:
    """Return the whole page."""
    context = click.Context(group)
    parts = ["# Reference", "Made by `make docs`; `make check` compares it.", "## Commands"]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, "it was listed"
        parts += commands(command, f"zoo {name}")
    parts += ["## Functions", "What `import zoo` calls. An editor shows the types.", *functions()]
    parts.append("## Hooks")
    for kind, spec_type in hooks.SPEC_TYPES.items():
        parts += spec(kind, spec_type)
    parts.append("## Recipes and their settings")
    for offer in default_registry().offers("recipes"):
        chosen, settings = recipe_settings(offer.spec.name, None, {})
        text = inspect.getdoc(type(settings))
        parts += [
            f"### {chosen.name}",
            f"{chosen.summary}. {text}",
            f"```toml\n{settings_toml(chosen.name, settings, defaults=True)}```",
        ]
    return "\n\n".join(parts) + "\n"


def functions() -> list[str]:
    """Return what `import zoo` calls: each function by its signature and docstring."""
    parts = []
    for name in zoo.__all__:
        if inspect.isfunction(function := getattr(zoo, name)):
            bare = inspect.signature(function)
            plain = [each.replace(annotation=each.empty) for each in bare.parameters.values()]
            signature = bare.replace(parameters=plain, return_annotation=bare.empty)
            parts += [f"### `zoo.{name}`", f"`{name}{signature}`", str(inspect.getdoc(function))]
    return parts


def stub() -> str:
    """Return zoo/__init__.pyi: every public name, imported from its home."""
    lines = ["# Made by `make docs` from the table in __init__.py; `make check` compares it."]
    lines += ["from zoo.version import __version__ as __version__"]
    lines += [f"from {home} import {name} as {name}" for home, names in zoo._HOMES.items() for name in names]
    return "\n".join([lines[0], "", *sorted(lines[1:], key=_by_module)]) + "\n"


def _by_module(line: str) -> tuple[str, bool, str]:
    _, module, _, name, *_ = line.split()
    return module, name[0].islower(), name.lower()


def main() -> None:
    made = {
        "docs/reference.md": reference,
        "zoo/__init__.pyi": stub,
        "tests/surface/surface.txt": surface,
        "docs/equal.md": equal,
        "docs/models.md": models,
    }
    for name, make in made.items():
        path, text = TOP / name, make()
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            sys.exit(f"{name} is stale; run `make docs`, and look at what has changed")


if __name__ == "__main__":
    main()
