"""Adapters of PEFT for zoo: LoRA, rsLoRA and DoRA."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_formats() -> Iterator[zoo.FormatSpec]:
    yield zoo.FormatSpec(
        name="peft",
        summary="Adapters of PEFT: adapter_config.json and adapter_model.safetensors",
        target="zoo_peft.format:peft",
        suffixes=("adapter_model.safetensors",),
        folder=True,
    )


@zoo.hookimpl
def zoo_methods() -> Iterator[zoo.MethodSpec]:
    yield zoo.MethodSpec(
        name="rslora",
        summary="As lora, scaled by the root of the rank, so that large ranks learn, too (Kalajdzievski, 2023)",
        target="zoo_peft.methods:rank_stabilized",
        adapts=True,
    )
    yield zoo.MethodSpec(
        name="dora",
        summary="As lora, and the length of each row learns by itself (DoRA; Liu et al., 2024)",
        target="zoo_peft.methods:DoRA",
        adapts=True,
    )


@zoo.hookimpl
def zoo_abilities() -> Iterator[zoo.AbilitySpec]:
    yield zoo.AbilitySpec(
        name="adapters",
        summary="Hold several adapters of PEFT beside one base, and use one of them",
        target="zoo_peft.beside:Adapters",
    )
    yield zoo.AbilitySpec(
        name="merge_adapter",
        summary="Merge the adapter that is used into the weights",
        target="zoo_peft.beside:merge_adapter",
    )


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="adapters",
        summary="List, describe and merge adapters of PEFT",
        target="zoo_peft.command:command",
    )
