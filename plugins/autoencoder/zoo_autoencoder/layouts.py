"""How others store the tiny autoencoders: their author in two files, diffusers in one."""

from typing import Any

import zoo

_FORM: dict[str, Any] = {
    "models": {"tiny_autoencoder": {}},
    "stem": "encoder.0.weight",
    "classifier": "head.weight",
    "image_size": (512, 512),
    "mean": (0.0,),
    "std": (1.0,),
    "crop": 1.0,
    "interpolation": "bilinear",
}
_VARIANTS: tuple[dict[str, Any], ...] = (
    {"latent_channels": 4},  # taesd, taesdxl
    {"latent_channels": 16},  # taesd3, taef1
    {"latent_channels": 32, "middle_blocks": True},  # taef2
)
_DIFFUSERS = (
    zoo.Rename("encoder.layers.{n}", "encoder.{n}"),
    # its clamp has no place among the layers
    zoo.Rename("decoder.layers.{n}", "decoder.{n+1}"),
)

TINY_AUTOENCODER = (
    *(zoo.Layout(library="taesd", arguments=variant, **_FORM) for variant in _VARIANTS),
    *(zoo.Layout(library="diffusers", arguments=variant, renames=_DIFFUSERS, **_FORM) for variant in _VARIANTS),
)
