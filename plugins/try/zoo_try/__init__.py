"""`zoo try`: a page on one's own machine on which weights are asked."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="try",
        summary="Try weights on a page of your own machine.",
        target="zoo_try.command:command",
    )
