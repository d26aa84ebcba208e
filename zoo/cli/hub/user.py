"""`zoo hub user`."""

import re
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.cli.hub.store import folder_argument, opened
from zoo.cli.hub.times import seconds_of
from zoo.commands.output import print_line
from zoo.commands.tables import print_table
from zoo.errors import NotFoundError, UsageError
from zoo.hub.server.dates import day
from zoo.hub.server.names import RESERVED

if TYPE_CHECKING:
    from zoo.hub.server.store import Store
    from zoo.hub.server.users import Token, User

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?", re.ASCII)


@click.group("user")
def user() -> None:
    """Manage users and tokens. A running server notices changes at once."""


@user.command("add")
@folder_argument
@click.argument("name")
@click.option("--namespace", "namespaces", multiple=True, help="A namespace to write to, besides the user's own name.")
@click.option("--owner", is_flag=True, help="May read and write everywhere.")
def add(folder: Path, name: str, namespaces: tuple[str, ...], owner: bool) -> None:
    """Add a user, or give one more namespaces."""
    for word in (name, *namespaces):
        _check_namespace(word)
    with opened(folder) as store:
        made = store.users.add(name, namespaces, owner=owner)
    print_line(f"{'added' if made else 'changed'} {name}; next:  zoo hub user token {shlex.quote(str(folder))} {name}")


@user.command("access")
@folder_argument
@click.argument("name")
@click.argument("namespace")
@click.argument("right", type=click.Choice(["read", "write", "none"]))
def access(folder: Path, name: str, namespace: str, right: str) -> None:
    """Let a user read a namespace's private and gated repos, write to it, or neither."""
    _check_namespace(namespace)
    with opened(folder) as store:
        store.users.give(_found(store, folder, name), namespace, right)  # type: ignore[arg-type]
    print_line(f"{name} has {'no rights' if right == 'none' else f'the right to {right}'} in {namespace}")


@user.command("token")
@folder_argument
@click.argument("name")
@click.option("--scope", type=click.Choice(["read", "write"]), default="write", show_default=True)
@click.option(
    "--label", help="What it is for; it replaces one of the same label.  [default: default, or read for such a scope]"
)
@click.option("--expires", metavar="TIME", help="Good for so long, as 12h, 30d or 52w.  [default: for good]")
def token(folder: Path, name: str, scope: str, label: str | None, expires: str | None) -> None:
    """Make a token and show it, this once."""
    until = None if expires is None else time.time() + seconds_of(expires, "--expires")
    with opened(folder) as store:
        found = _found(store, folder, name)
        label = label or ("default" if scope == "write" else scope)  # a read token leaves the one that writes
        print_line(store.users.new_token(found, label, scope, until), secret=True)


@user.command("rm")
@folder_argument
@click.argument("name")
def remove(folder: Path, name: str) -> None:
    """Remove a user and all tokens; repos stay."""
    with opened(folder) as store:
        if not store.users.remove(name):
            raise NotFoundError(
                f"no user {name!r} in {folder}; `zoo hub user list {shlex.quote(str(folder))}` shows all"
            )
    print_line(f"removed {name}")


@user.command("list")
@folder_argument
def list_(folder: Path) -> None:
    """List users, their namespaces and tokens."""
    with opened(folder) as store:
        rows = [
            (
                found.name,
                "everywhere" if found.owner else ", ".join((found.name, *found.namespaces)),
                "everywhere" if found.owner else ", ".join(found.read) or "-",
                ", ".join(map(_described, store.users.tokens(found))) or "-",
            )
            for found in store.users.all()
        ]
    print_table(("USER", "WRITES TO", "READS", "TOKENS"), rows)


def _described(token: "Token") -> str:
    over = token.expires is not None and token.expires <= time.time()
    until = f", {'over since' if over else 'until'} {day(token.expires)}" if token.expires is not None else ""
    used = "never used" if token.used is None else f"used {day(token.used)}"
    return f"{token.label} ({token.role}{until}, {used})"


def _found(store: "Store", folder: Path, name: str) -> "User":
    found = store.users.find(name)
    if found is None:
        raise NotFoundError(
            f"no user {name!r} in {folder}; `zoo hub user add {shlex.quote(str(folder))} {name}` adds one"
        )
    return found


def _check_namespace(word: str) -> None:
    if not _NAME.fullmatch(word) or "--" in word or ".." in word:
        raise UsageError(f"{word!r} is not a valid namespace; use letters, digits, and - . _ between them")
    if word.lower() in RESERVED:
        raise UsageError(f"the namespace {word!r} is part of the Hub's own addresses; choose another")
