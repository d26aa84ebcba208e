"""Settings of the recipes that finetune."""

from dataclasses import dataclass
from typing import Annotated

from zoo.data.augmentation.names import Augmentation, Mixing
from zoo.specs.settings import Count, FinetuneSettings, NonNegative, NonNegativeInt, Share, by_data, rate_by_size


@dataclass(frozen=True, kw_only=True)
class ImageClassificationSettings(FinetuneSettings):
    """Little data is gone over for at least 400 steps.

    With `augmentation` auto a small network tells which policy these labels gain by: mirroring, shifts, scale, tones,
    each alone and together, or none. Of photographs parts, of 8 to 100 % of their area, are scaled to the size of the
    inputs, and it tells whether they are mirrored.
    """

    epochs: Count = 10
    minimum_steps: NonNegativeInt = 400
    batch_size: Count = 64
    learning_rate: Annotated[float, rate_by_size(1_500_000)] = 2e-3
    weight_decay: NonNegative = 0.01
    augmentation: Annotated[Augmentation, by_data("augmentation")] = "auto"
    mixing: Mixing = "none"
    label_smoothing: Share = 0.1

    @property
    def crops(self) -> bool:
        return self.augmentation in ("auto", "resized_crop", "resized_crop_flip")
