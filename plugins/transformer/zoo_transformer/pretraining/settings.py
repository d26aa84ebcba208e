"""Settings of the recipes that pretrain."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

import zoo

_Count = Annotated[int, Meta(ge=1)]
_NonNegative = Annotated[float, Meta(ge=0)]
_Positive = Annotated[float, Meta(gt=0)]
_Share = Annotated[float, Meta(gt=0, lt=1)]


@dataclass(frozen=True, kw_only=True)
class MaskedImageSettings(zoo.TrainingSettings):
    """`masked` is the share of patches that are hidden. Pictures are crops of `crop_area` to 1 of the area, flipped.

    The decoder, `decoder_depth` blocks of `decoder_width`, is thrown away afterwards.
    """

    epochs: _Count = 100
    batch_size: _Count = 256
    learning_rate: _Positive = 1.5e-3
    weight_decay: _NonNegative = 0.05
    warmup: Annotated[float, Meta(ge=0, lt=1)] = 0.1
    masked: _Share = 0.75
    decoder_width: _Count = 128
    decoder_depth: _Count = 2
    decoder_heads: _Count = 4
    crop_area: Annotated[float, Meta(gt=0, le=1)] = 0.3
