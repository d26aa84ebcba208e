"""Weights in 8 bits for zoo."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_formats() -> Iterator[zoo.FormatSpec]:
    yield zoo.FormatSpec(
        name="int8",
        summary="Weights in 8 bits with a scale for each row (.int8.safetensors)",
        target="zoo_quantize.format:int8",
        suffixes=(".int8.safetensors",),
    )


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="quantize",
        summary="Write weights in 8 bits, and measure what that costs",
        target="zoo_quantize.command:command",
    )
