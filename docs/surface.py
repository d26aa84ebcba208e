"""All that others build on, as text: names with their signatures, commands with their flags, hooks, exit codes."""

import ast
import inspect
import re
import textwrap
import types
from collections.abc import Iterator
from typing import Any

import click

import zoo
from zoo import errors
from zoo.api.training import Options
from zoo.cli import Commands, LazyCommand, group
from zoo.registry.command_names import COMMANDS
from zoo.specs import hooks

_WIDTH = 120
_BETWEEN = r", (?=\*|\w+(?::|=|,|$))"
"""Where a parameter begins, and not the next part of a type."""


def surface() -> str:
    """Return the whole surface, a line for everything that can be relied on."""
    parts = [
        "# Made by `make docs`; a change here is a change for everybody who builds on Zoo.",
        "",
        "## import zoo",
        "",
    ]
    for name in zoo.__all__:
        if name != "__version__":
            parts += _name(name, getattr(zoo, name))
    parts += ["", "## **options of pretrain, finetune and reproduce", "", *_name("Options", Options)]
    parts += ["", "## zoo at the shell", "", *_command(group, "zoo")]
    for name in COMMANDS:
        parts += _command(_loaded(group.get_command(click.Context(group), name)), f"zoo {name}")
    parts += ["", "## Hooks", ""]
    parts += [f"zoo_{kind}() -> {spec.__name__}" for kind, spec in hooks.SPEC_TYPES.items()]
    parts += ["", "## Exit codes", ""]
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.ZooError)}
    parts += [f"{code} {name}" for code, name in sorted((kind.exit_code, kind.__name__) for kind in kinds)]
    return "\n".join(parts) + "\n"


def _name(name: str, value: Any) -> Iterator[str]:
    """Yield what the source says, so that no version of a library changes it."""
    if isinstance(value, types.FunctionType):
        yield from _function(_source(value), name, "")
    elif not inspect.isclass(value) or not value.__module__.startswith("zoo."):
        yield f"{name} = {re.sub(' at 0x[0-9a-f]+', '', repr(value))}"
    else:
        hidden_names = {base.__name__ for base in value.__bases__ if _is_hidden(base)}
        bases = ", ".join(text for base in _source(value).bases if (text := ast.unparse(base)) not in hidden_names)
        yield f"class {name}({bases})" if bases else f"class {name}"
        printed = {kind for base in value.__bases__ if not _is_hidden(base) for kind in base.__mro__}
        hidden = [kind for kind in value.__mro__[1:] if _is_hidden(kind) and kind not in printed]
        inherited = [node for kind in reversed(hidden) for node in _source(kind).body]
        own = _source(value).body
        # as a dataclass has them: the fields of bases come first
        for node in [node for node in inherited if isinstance(node, ast.AnnAssign)] + own:
            yield from _member(node)
        for node in inherited:
            if not isinstance(node, ast.AnnAssign):
                yield from _member(node)


def _is_hidden(kind: type) -> bool:
    return kind.__module__.startswith("zoo.") and kind.__name__ not in zoo.__all__


def _source(value: Any) -> Any:
    return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]


def _member(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.AnnAssign) and not ast.unparse(node.target).startswith("_"):
        yield f"    {ast.unparse(node)}"
    elif isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name in ("__init__", "__call__")):
        kinds = [ast.unparse(item) for item in node.decorator_list]
        yield from _function(node, "".join(f"@{kind} " for kind in kinds) + node.name, "    ")


def _function(node: ast.FunctionDef, name: str, margin: str) -> Iterator[str]:
    """Yield a signature; one line for each parameter where one line for all would be long."""
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{margin}{name}({ast.unparse(node.args)}){returned}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{margin}{name}("
    for text in re.split(_BETWEEN, ast.unparse(node.args)):
        yield f"{margin}    {text},"
    yield f"{margin}){returned}"


def _loaded(command: click.Command | None) -> click.Command:
    assert command is not None, "it was listed"
    return command.load() if isinstance(command, LazyCommand) else command


def _command(command: click.Command, path: str) -> Iterator[str]:
    yield " ".join([path, *(_option(option) for option in command.params)])
    if isinstance(command, click.Group) and not isinstance(command, Commands):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from _command(_loaded(command.get_command(context, name)), f"{path} {name}")


def _option(option: click.Parameter) -> str:
    """Return an option as it is typed; in brackets where it may be left out."""
    if isinstance(option, click.Argument):
        text = option.make_metavar(click.Context(click.Command("zoo")))
        return text if option.required or text.startswith("[") else f"[{text}]"
    text = "|".join([*option.opts, *option.secondary_opts])
    if isinstance(option, click.Option) and not option.is_flag:
        text += f" {(option.name or '').upper()}{'…' if option.multiple else ''}"
        if option.default not in (None, ()) and "UNSET" not in repr(option.default).upper():
            text += f"={option.default}"
    return text if option.required else f"[{text}]"
