"""Settings of the GANs' recipes."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

import zoo

Policy = Literal["none", "translation", "translation_cutout", "colour_translation_cutout"]


@dataclass(frozen=True, kw_only=True)
class AdversarialSettings(zoo.TrainingSettings):
    """`learning_rate` is the generator's, `discriminator_rate` the discriminator's, the papers' for any size.

    A step takes `discriminator_steps` of the discriminator, among which the batch is shared out, so that each sees
    other pictures, and one of the generator, with latents for a whole batch. `ema` averages both networks, and the
    averages are what is scored and exported. `augmentation` changes what the discriminator sees, real and made alike,
    in a way that gradients pass (Zhao et al., 2020); it is for little data.

    Scores compare `score_samples` pictures of the split, drawn by the seed, with as many made ones; in the feature
    space of `feature_weights` too, which is what `zoo.load` takes. `bank_size` training pictures are kept to look for
    copies.
    """

    epochs: zoo.Count = 6
    batch_size: zoo.Count = 64
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: zoo.Positive = 2e-4
    discriminator_rate: zoo.Positive = 2e-4
    betas: tuple[zoo.Share, zoo.Share] = (0.5, 0.999)
    schedule: Literal["cosine", "constant"] = "constant"
    warmup: zoo.Share = 0.0
    ema: zoo.Share = 0.999
    discriminator_steps: zoo.Count = 1
    augmentation: Policy = "none"
    feature_weights: str | None = None
    score_samples: Annotated[int, Meta(ge=2)] = 2048
    bank_size: zoo.Count = 4096


@dataclass(frozen=True, kw_only=True)
class MinimaxSettings(AdversarialSettings):
    """The plain game: the weights themselves are exported, no average of them."""

    ema: zoo.Share = 0.0


@dataclass(frozen=True, kw_only=True)
class WassersteinSettings(AdversarialSettings):
    """`penalty` weighs how far the gradient's norm is from 1 between real and made pictures."""

    batch_size: zoo.Count = 320
    learning_rate: zoo.Positive = 1e-4
    discriminator_rate: zoo.Positive = 1e-4
    betas: tuple[zoo.Share, zoo.Share] = (0.0, 0.9)
    discriminator_steps: zoo.Count = 5
    penalty: zoo.NonNegative = 10.0


@dataclass(frozen=True, kw_only=True)
class RelativisticSettings(AdversarialSettings):
    """Half of `penalty` weighs the squared norm of the gradient at real pictures, R1, and at made ones, R2."""

    betas: tuple[zoo.Share, zoo.Share] = (0.0, 0.99)
    penalty: zoo.NonNegative = 1.0


@dataclass(frozen=True, kw_only=True)
class FreezeDiscriminatorSettings(AdversarialSettings, zoo.FinetuneSettings):
    """`frozen_stages` are kept of the discriminator's trunk, from the pixels on; all else learns.

    `method` is full, or scratch, the same networks from random weights with nothing frozen, to compare with.
    `backbone_rate` and `layer_decay` change nothing here: both networks go on at their own rates.
    """

    method: Literal["full", "scratch"] = "full"
    epochs: zoo.Count = 10
    minimum_steps: zoo.NonNegativeInt = 1000
    augmentation: Policy = "colour_translation_cutout"
    frozen_stages: zoo.NonNegativeInt = 1
