"""`zoo diff`: what changed between two sets of weights."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="diff",
        summary="Compare two sets of weights: tensors, settings, scores, card.",
        target="zoo_diff.command:command",
    )
