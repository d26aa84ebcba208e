"""Settings of the recipes for text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from zoo.specs.settings import (
    Count,
    Fraction,
    LanguageSettings,
    NonNegative,
    NonNegativeInt,
    Share,
    TextFinetuneSettings,
    rate_by_size,
)

Rate = Annotated[float, rate_by_size(1_000_000)]
FinetuneRate = Annotated[float, rate_by_size(1_700_000)]
"""With it BERT base takes 0.00005 for its own layers, the most of what its authors tried."""


@dataclass(frozen=True, kw_only=True)
class CausalSettings(LanguageSettings):
    """Windows of 128 tokens, each token foretold from those before it."""

    batch_size: Count = 32
    learning_rate: Rate = 2e-3
    weight_decay: NonNegative = 0.1
    warmup: Share = 0.1
    clip: NonNegative = 1.0


@dataclass(frozen=True, kw_only=True)
class MaskedSettings(LanguageSettings):
    """Of each window `masked` are hidden and to be guessed: 8 in 10 by the mask, 1 by another token, 1 by itself."""

    tokenizer: str = "wordpiece:8000"
    batch_size: Count = 64
    learning_rate: Rate = 2e-3
    weight_decay: NonNegative = 0.01
    warmup: Share = 0.1
    clip: NonNegative = 1.0
    masked: Annotated[float, Meta(gt=0, lt=1)] = 0.15


@dataclass(frozen=True, kw_only=True)
class SpanSettings(LanguageSettings):
    """Spans of `span_length` on average, `masked` of each window together, are taken out and to be written."""

    sentinels: Annotated[int, Meta(ge=1, le=10_000)] = 100
    batch_size: Count = 32
    learning_rate: Rate = 2e-3
    weight_decay: NonNegative = 0.01
    warmup: Share = 0.1
    clip: NonNegative = 1.0
    masked: Annotated[float, Meta(gt=0, lt=1)] = 0.15
    span_length: Annotated[float, Meta(ge=1)] = 3.0


@dataclass(frozen=True, kw_only=True)
class DenoisingSettings(LanguageSettings):
    """`masked` of each window is hidden: each token by a mask, or as infilling each span, of `span_length` on average.

    Of each window the first `target_tokens` are written, 0: all. The fewer of both, the sooner a small network copies;
    BART hides 0.3 and writes all.
    """

    renamed: ClassVar[Mapping[str, str]] = {"written": "target_tokens"}
    tokenizer: str = "wordpiece:8000"
    batch_size: Count = 32
    learning_rate: Rate = 2e-3
    weight_decay: NonNegative = 0.01
    warmup: Share = 0.1
    clip: NonNegative = 1.0
    corruption: Literal["masking", "infilling"] = "masking"
    masked: Annotated[float, Meta(gt=0, lt=1)] = 0.05
    span_length: Annotated[float, Meta(ge=1)] = 3.0
    target_tokens: NonNegativeInt = 20


@dataclass(frozen=True, kw_only=True)
class TextGenerationSettings(TextFinetuneSettings):
    """Goes on from pretrained weights with windows of other text."""

    epochs: Count = 3
    batch_size: Count = 32
    betas: tuple[Share, Share] = (0.9, 0.95)
    learning_rate: FinetuneRate = 1e-3
    weight_decay: NonNegative = 0.1
    warmup: Share = 0.1
    clip: NonNegative = 1.0


@dataclass(frozen=True, kw_only=True)
class FillMaskSettings(TextFinetuneSettings):
    """Goes on guessing masked tokens, of other text."""

    epochs: Count = 3
    batch_size: Count = 32
    betas: tuple[Share, Share] = (0.9, 0.95)
    learning_rate: FinetuneRate = 1e-3
    weight_decay: NonNegative = 0.01
    warmup: Share = 0.1
    clip: NonNegative = 1.0
    masked: Annotated[float, Meta(gt=0, lt=1)] = 0.15


@dataclass(frozen=True, kw_only=True)
class TextClassificationSettings(TextFinetuneSettings):
    """Little data is gone over for at least 300 steps.

    `masked` is the share of each text's tokens that are hidden while it learns, other ones each time, so that it leans
    on no single word (word dropout: Iyyer et al., 2015).
    """

    epochs: Count = 4
    minimum_steps: NonNegativeInt = 300
    batch_size: Count = 32
    learning_rate: FinetuneRate = 1e-3
    backbone_rate: Fraction = 0.4
    layer_decay: Fraction = 0.9
    weight_decay: NonNegative = 0.01
    warmup: Share = 0.1
    clip: NonNegative = 1.0
    evaluations: Count = 4
    label_smoothing: Share = 0.0
    masked: Share = 0.0


@dataclass(frozen=True, kw_only=True)
class Seq2SeqSettings(TextFinetuneSettings):
    """Texts are written by `beams` for the scores, twice in a training.

    A fresh network learns best at the full rate for all of it, so that `backbone_rate` is 1 and layers do not decay.
    """

    epochs: Count = 10
    batch_size: Count = 64
    learning_rate: Annotated[float, rate_by_size(4_000_000)] = 1e-3
    backbone_rate: Fraction = 1.0
    layer_decay: Fraction = 1.0
    weight_decay: NonNegative = 0.01
    warmup: Share = 0.1
    clip: NonNegative = 1.0
    evaluations: Count = 2
    label_smoothing: Share = 0.1
    beams: Count = 4
