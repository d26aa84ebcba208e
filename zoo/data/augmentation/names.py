"""What settings can choose; free of torch, so that settings are shown without it."""

from typing import Literal

Augmentation = Literal[
    "auto",
    "none",
    "flip",
    "shift",
    "crop_flip",
    "scale",
    "scale_flip",
    "jitter",
    "flip_jitter",
    "shift_jitter",
    "colour",
    "scale_jitter",
    "scale_flip_jitter",
    "resized_crop",
    "resized_crop_flip",
    "affine",
    "erasing",
    "randaugment",
]
Mirroring = Literal["auto", "yes", "no"]
"""Whether pictures may be mirrored; left at "auto" they are."""
Mixing = Literal["none", "mixup", "cutmix", "mixup_cutmix"]
