"""Commands that are imported when they are used, so that help and listings are instant."""

from typing import Any

import click


class LazyCommand(click.Command):
    """A command that is imported when it is used; its help line is known before."""

    def __init__(self, name: str, summary: str, target: str) -> None:
        super().__init__(name, short_help=summary, help=summary, add_help_option=False)
        self.target = target

    def load(self) -> click.Command:
        """Import the command itself."""
        from zoo.specs.named import load_target

        command: click.Command = load_target(self.target)
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        return self.load().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        return ctx.command.invoke(ctx)
