"""Settings of the recipes that finetune."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from zoo.data.augmentation.names import Augmentation, Mixing
from zoo.settings import Count, Positive, Share, TrainingSettings


@dataclass(frozen=True, kw_only=True)
class ImageClassificationSettings(TrainingSettings):
    """`learning_rate` is the head's; with `full` the pretrained layers get `backbone_rate` times as much.

    `layer_decay` makes the rate of each layer below smaller by that factor. `scratch` trains all at the full rate.
    """

    method: Literal["full", "frozen", "scratch"] = "full"
    epochs: Count = 10
    minimum_steps: Annotated[int, Meta(ge=0)] = 400
    batch_size: Count = 64
    learning_rate: Positive = 2e-3
    weight_decay: Annotated[float, Meta(ge=0)] = 0.01
    backbone_rate: Annotated[float, Meta(gt=0, le=1)] = 0.5
    layer_decay: Annotated[float, Meta(gt=0, le=1)] = 0.8
    augmentation: Augmentation = "crop_flip"
    mixing: Mixing = "none"
    label_smoothing: Share = 0.1
