"""Write docs/reference.md from what is really there: commands, hooks, specs, settings. `--check` only compares.

python docs/generate.py [--check]
"""

import dataclasses
import inspect
import sys
from pathlib import Path
from typing import Any

import click

from zoo.cli import Commands, LazyCommand, group
from zoo.registry.recipe_settings import recipe_settings, settings_toml
from zoo.registry.registry import default_registry
from zoo.specs import hooks

OUT = Path(__file__).with_name("reference.md")


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
            f"```toml\n{settings_toml(chosen.name, settings)}```",
        ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    text = reference()
    if "--check" in sys.argv:
        if not OUT.is_file() or OUT.read_text(encoding="utf-8") != text:
            sys.exit(f"{OUT} is stale; run `make docs`")
    else:
        OUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
