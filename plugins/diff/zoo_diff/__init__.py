"""`zoo diff`: what changed between two sets of weights; and the same of two commits, on the Hub's page."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="diff",
        summary="Compare two sets of weights: tensors, settings, scores, card.",
        target="zoo_diff.command:command",
    )


@zoo.hookimpl(optionalhook=True)
def zoo_comparisons() -> Iterator[zoo.ComparisonSpec]:
    yield zoo.ComparisonSpec(
        name="diff",
        summary="Tensors by their numbers",
        target="zoo_diff.page:tables",
    )
