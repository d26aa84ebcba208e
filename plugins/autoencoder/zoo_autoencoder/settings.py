"""Settings of the autoencoders' recipes."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

import zoo


@dataclass(frozen=True, kw_only=True)
class ReconstructionSettings(zoo.TrainingSettings):
    """`loss` is taken per pixel: binary cross-entropy, or the squared error of the pixels in [0, 1]."""

    loss: Literal["binary_cross_entropy", "mean_squared_error"] = "mean_squared_error"
    learning_rate: Annotated[float, Meta(gt=0)] = 2e-3
    weight_decay: Annotated[float, Meta(ge=0)] = 1e-4


@dataclass(frozen=True, kw_only=True)
class DenoisingSettings(ReconstructionSettings):
    """`noise` is the standard deviation of the Gaussian noise that is added, of pixels in [0, 1]."""

    noise: Annotated[float, Meta(gt=0, le=2)] = 0.3
