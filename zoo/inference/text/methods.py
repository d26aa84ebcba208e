"""Give a loaded model of text its `generate` and `embed`."""

from functools import partial
from pathlib import Path
from typing import Any

from zoo.inference.text.embed import Embed
from zoo.inference.text.generate import Generate
from zoo.specs.backbones import TextBackbone
from zoo.specs.records import ModelSpec
from zoo.weights.description import ZooBlock
from zoo.weights.tokenizer import read_text_inputs


def bind_text_methods(model: Any, block: ZooBlock, spec: ModelSpec, place: Path) -> None:
    """Set what the spec's capabilities allow, except where the model's class has a method of that name itself.

    `place` is where the weights, and their tokenizer, lie.
    """
    if spec.modality != "text" or not isinstance(model, TextBackbone):
        return
    inputs = partial(read_text_inputs, place, block)
    if {"generate", "encode-decode"} & set(spec.capabilities) and not _has(model, "generate"):
        model.generate = Generate(model, inputs, task=block.task)  # type: ignore[attr-defined]
    if not _has(model, "embed"):
        model.embed = Embed(model, inputs)  # type: ignore[attr-defined]


def _has(model: Any, name: str) -> bool:
    return callable(getattr(type(model), name, None))
