"""What is said of a command that was typed wrong: the fault, and the command that shows how it is typed."""

import difflib
import shlex

import click
from click.exceptions import NoArgsIsHelpError, NoSuchOption

_SHORT = {"lr": "learning_rate", "wd": "weight_decay"}
"""What other programs call settings."""


def misuse(error: click.ClickException) -> str:
    """Return the line for a fault that click found."""
    context = getattr(error, "ctx", None)
    if context is None:
        return error.format_message()
    path, command = context.command_path, context.command
    if isinstance(error, NoArgsIsHelpError):
        names = ", ".join(command.list_commands(context)) if isinstance(command, click.Group) else ""
        return f"{path} lacks a command: {names}; `{path} --help` describes them"
    if isinstance(error, NoSuchOption):
        meant = _meant(error.option_name, command, context.obj)
        return f"No such option '{error.option_name}'; {meant}`{path} --help` lists all"
    if isinstance(command, click.Group) and (near := _near_commands(error, command, context)):
        return f"{error.message.rstrip('.')}; did you mean {near}? `{path} --help` lists all"
    return f"{error.format_message().strip().rstrip('.')}; `{path} --help` shows how it is typed"


def _meant(option: str, command: click.Command, typed: object) -> str:
    """Return what was meant by an option that there is not, as a sentence's beginning; "" where nothing is near.

    `typed` are all arguments, as far as they are known.
    """
    known = {name: parameter for parameter in command.params for name in parameter.opts if name.startswith("--")}
    spelled = option.replace("_", "-")
    if spelled in known:
        return f"did you mean {spelled}? "
    value = _value(option, typed if isinstance(typed, list) else [])
    if (setting := _setting(option.lstrip("-").replace("-", "_"), value, command)) is not None:
        return f"it is a setting: {setting}, and "
    near = difflib.get_close_matches(spelled, known, n=1, cutoff=0.75)
    return f"did you mean {near[0]}? " if near else ""


def _value(option: str, typed: list[str]) -> str | None:
    """Return what was typed for an option, behind it or after `=`."""
    for argument, following in zip(typed, [*typed[1:], ""], strict=True):
        if argument.startswith(f"{option}="):
            return argument.removeprefix(f"{option}=")
        if argument == option and following and not following.startswith("--"):
            return following
    return None


def _setting(name: str, value: str | None, command: click.Command) -> str | None:
    """Return how the setting is typed that somebody took for an option; None where it is none."""
    if "settings" not in (parameter.name for parameter in command.params):
        return None
    from dataclasses import fields

    from zoo.specs.settings import TrainingSettings

    known = {field.name: field.default for field in fields(TrainingSettings)}
    meant = difflib.get_close_matches(_SHORT.get(name, name), known, n=1, cutoff=0.8)
    if not meant:
        return None
    return f"--set {shlex.quote(f'{meant[0]}={known[meant[0]] if value is None else value}')}"


def _near_commands(error: click.ClickException, command: click.Group, context: click.Context) -> str:
    asked = getattr(error, "command_name", "")
    return " or ".join(difflib.get_close_matches(asked, command.list_commands(context), n=2, cutoff=0.5))
