"""Settings of the recipes that finetune."""

from dataclasses import dataclass
from typing import Annotated

from zoo.data.augmentation.names import Augmentation, Mixing
from zoo.specs.settings import Count, FinetuneSettings, NonNegative, NonNegativeInt, Share, rate_by_size


@dataclass(frozen=True, kw_only=True)
class ImageClassificationSettings(FinetuneSettings):
    """Little data is gone over for at least 400 steps."""

    epochs: Count = 10
    minimum_steps: NonNegativeInt = 400
    batch_size: Count = 64
    learning_rate: Annotated[float, rate_by_size(1_500_000)] = 2e-3
    weight_decay: NonNegative = 0.01
    augmentation: Augmentation = "crop_flip"
    mixing: Mixing = "none"
    label_smoothing: Share = 0.1
