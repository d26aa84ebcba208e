"""What the recipes can be told."""

from dataclasses import dataclass

import zoo


@dataclass(frozen=True, kw_only=True)
class MaskedSettings(zoo.TrainingSettings):
    """What every recipe can be told."""

    batch_size: int = 48
    learning_rate: float = 3e-2


@dataclass(frozen=True, kw_only=True)
class NextSettings(zoo.FinetuneSettings):
    """What every recipe that finetunes can be told."""

    batch_size: int = 48
    learning_rate: float = 3e-2
