"""What settings can choose; free of torch, so that settings are shown without it."""

from typing import Literal

Augmentation = Literal[
    "auto", "none", "flip", "crop_flip", "resized_crop_flip", "affine", "colour", "erasing", "randaugment"
]
Mixing = Literal["none", "mixup", "cutmix", "mixup_cutmix"]
