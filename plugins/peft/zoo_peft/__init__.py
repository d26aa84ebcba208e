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
