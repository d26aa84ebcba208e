"""Settings of the recipe that finetunes for segmentation."""

from dataclasses import dataclass
from typing import Annotated, Literal

from zoo.specs.settings import Count, FinetuneSettings, NonNegative, NonNegativeInt, Positive, Share, rate_by_size

Finest = Literal[1, 2, 4, 8, 16]


@dataclass(frozen=True, kw_only=True)
class ImageSegmentationSettings(FinetuneSettings):
    """The head has `width` channels and works at the size of the pictures over `finest`.

    `dice` is the weight of the Dice loss beside the cross-entropy: it counts each class of a picture alike, however few
    pixels it has. Pictures and masks are scaled together by `scale_low` to `scale_high`, and a window of the old size
    is cut out; `flip` mirrors half of them; `colour` is how much brightness, contrast and saturation change. Little
    data is gone over for at least 1,000 steps.
    """

    epochs: Count = 30
    minimum_steps: NonNegativeInt = 1000
    batch_size: Count = 8
    learning_rate: Annotated[float, rate_by_size()] = 1e-3
    backbone_rate: Annotated[float, rate_by_size(1_500_000, "fixed", most=1)] = 0.5
    weight_decay: NonNegative = 0.01
    width: Count = 64
    finest: Finest = 4
    dropout: Share = 0.1
    dice: NonNegative = 0.5
    scale_low: Positive = 0.5
    scale_high: Positive = 2.0
    flip: bool = True
    colour: Share = 0.3
    label_smoothing: Share = 0.0
