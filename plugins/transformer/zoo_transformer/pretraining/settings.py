"""Settings of the recipes that pretrain."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

import zoo


@dataclass(frozen=True, kw_only=True)
class MaskedImageSettings(zoo.TrainingSettings):
    """A ViT-B gets the paper's base rate, 0.00015 for each 256 of the batch; smaller ones learn at more.

    `masked` is the share of patches that are hidden. Pictures are crops of `crop_area` to 1 of the area.
    `mirrored` flips half of them; at auto unless pictures are easily told from their mirror images.

    The decoder, `decoder_depth` blocks of `decoder_width`, is thrown away afterwards.
    """

    epochs: zoo.Count = 100
    batch_size: zoo.Count = 256
    learning_rate: Annotated[float, zoo.rate_by_size(870_000, "linear")] = 1.5e-3
    betas: tuple[zoo.Share, zoo.Share] = (0.9, 0.95)
    weight_decay: zoo.NonNegative = 0.05
    warmup: zoo.Share = 0.1
    masked: Annotated[float, Meta(gt=0, lt=1)] = 0.75
    decoder_width: zoo.Count = 128
    decoder_depth: zoo.Count = 2
    decoder_heads: zoo.Count = 4
    crop_area: zoo.Fraction = 0.3
    mirrored: Annotated[zoo.Mirroring, zoo.by_data("mirroring")] = "auto"


@dataclass(frozen=True, kw_only=True)
class SimCSESettings(zoo.LanguageSettings):
    """Windows of texts in a row, each of which is seen twice under `dropout`.

    Each time a span of it is seen, of `span` to 1 of its tokens, of which `masked` are hidden. `temperature` divides
    the cosines of the contrastive loss; to it the loss of guessing what is hidden is added, times `mlm_weight`. With
    span=1, masked=0 and mlm_weight=0 dropout alone tells the two times apart, as published.
    """

    tokenizer: str = "wordpiece:8000"
    batch_size: zoo.Count = 64
    learning_rate: Annotated[float, zoo.rate_by_size(1_000_000)] = 2e-3
    weight_decay: zoo.NonNegative = 0.01
    warmup: zoo.Share = 0.1
    clip: zoo.NonNegative = 1.0
    dropout: zoo.Share = 0.1
    span: zoo.Fraction = 0.5
    masked: zoo.Share = 0.15
    mlm_weight: zoo.NonNegative = 1.0
    temperature: zoo.Positive = 0.05


@dataclass(frozen=True, kw_only=True)
class ReplacedTokenSettings(zoo.LanguageSettings):
    """Of each window `masked` are hidden, and filled in by `generator_depth` blocks of their own, as wide as the model.

    The loss of telling which tokens were replaced counts `detection_weight` times that of guessing them.
    """

    tokenizer: str = "wordpiece:8000"
    batch_size: zoo.Count = 64
    learning_rate: Annotated[float, zoo.rate_by_size(1_000_000)] = 2e-3
    weight_decay: zoo.NonNegative = 0.01
    warmup: zoo.Share = 0.1
    clip: zoo.NonNegative = 1.0
    masked: Annotated[float, Meta(gt=0, lt=1)] = 0.15
    generator_depth: zoo.Count = 1
    detection_weight: zoo.Positive = 50.0
