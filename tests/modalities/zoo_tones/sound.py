"""How sounds become inputs, and what can be said of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import torch
from msgspec import Meta, Struct
from torch import Generator, Tensor

import zoo

Rate = Annotated[int, Meta(ge=1, le=384_000)]


@dataclass(frozen=True, kw_only=True)
class SoundOptions:
    """Sounds are taken at `rate` samples a second; None takes that of the weights, or of the first sound."""

    rate: Rate | None = None


class Sound(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Sounds of one channel, resampled to `rate`, cut or filled up with silence to `samples`; floats in [-1, 1]."""

    modality: ClassVar[str] = "tone"

    rate: Rate
    samples: Annotated[int, Meta(ge=1, le=16_777_216)]

    def record(self) -> "Sound":
        return self

    def write(self, folder: Path) -> None:
        """Write nothing: a sound needs no file beside the weights."""

    def model_arguments(self) -> dict[str, Any]:
        return {}

    def example(self, count: int, random: Generator) -> dict[str, Tensor]:
        shape = (count, self.samples)
        return {"sounds": torch.randint(-32768, 32768, shape, generator=random, dtype=torch.int16)}

    def describe(self) -> str:
        return f"Input: sound at {self.rate:,} Hz, floats in [-1, 1], shape (batch, {self.samples})."


def inputs_of(loaded: zoo.Loaded) -> Sound:
    """Return the sounds that weights take. Raise UsageError where they do not say."""
    if loaded.description.inputs is None:
        raise zoo.UsageError("these weights do not say which sounds they take; add `inputs` to their config.json")
    inputs: Sound = loaded.description.inputs.values
    return inputs


def floats(sounds: Tensor, like: Tensor) -> Tensor:
    """Return samples of 16 bits as numbers in [-1, 1], of the device and type of `like`."""
    return sounds.to(like.device, like.dtype) / 32768
