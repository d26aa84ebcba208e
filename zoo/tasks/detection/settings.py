"""Settings of the recipe that finetunes for object detection; free of torch."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from zoo.specs.settings import (
    Count,
    FinetuneSettings,
    Fraction,
    NonNegative,
    NonNegativeInt,
    Probability,
    Share,
    rate_by_size,
)


@dataclass(frozen=True, kw_only=True)
class ObjectDetectionSettings(FinetuneSettings):
    """A few hundred pictures train well with these on a CPU; many do with fewer epochs.

    `width` and `depth` are those of the head, `reductions` the levels of its pyramid: empty for the backbone's last
    three and one coarser, as far as they suit the size of the images. `flips` mirrors half of the pictures left to
    right, and with `both` half of them upside down too. `zoom` is by how much pictures become larger or smaller at
    most, each shifted at random; 1 leaves them as they are. `colour` is the strength of changes to brightness, contrast
    and saturation. Of the boxes that are found, those above `score_threshold` count, at most `most_boxes` a picture,
    and none that overlaps a better one of its class by more than `nms_threshold` (IoU).
    """

    epochs: Count = 60
    minimum_steps: NonNegativeInt = 1000
    batch_size: Count = 16
    learning_rate: Annotated[float, rate_by_size()] = 2e-3
    weight_decay: NonNegative = 0.05
    backbone_rate: Annotated[float, rate_by_size(1_500_000, "fixed", most=1)] = 0.5
    layer_decay: Fraction = 1.0
    clip: NonNegative = 10.0
    ema: Share = 0.995
    width: Count = 64
    depth: Count = 2
    reductions: tuple[Count, ...] = ()
    flips: Literal["none", "horizontal", "both"] = "horizontal"
    zoom: Annotated[float, Meta(ge=1, le=4)] = 1.5
    colour: Probability = 0.2
    score_threshold: Share = 0.05
    nms_threshold: Fraction = 0.6
    most_boxes: Annotated[int, Meta(ge=1, le=1000)] = 100
