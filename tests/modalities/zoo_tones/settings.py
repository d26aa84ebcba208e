"""What the recipes can be told."""

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

import zoo


@dataclass(frozen=True, kw_only=True)
class DenoisingSettings(zoo.TrainingSettings):
    """`noise` is the standard deviation of what is added to a sound in [-1, 1]."""

    batch_size: int = 32
    learning_rate: float = 5e-3
    noise: Annotated[float, Meta(ge=0)] = 0.1


@dataclass(frozen=True, kw_only=True)
class ClassificationSettings(zoo.FinetuneSettings):
    """What every recipe that finetunes can be told."""

    batch_size: int = 32
    learning_rate: float = 1e-2
