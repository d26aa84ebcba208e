"""What timm's config.json says beside the model's arguments: the preprocessing, and what Zoo would do otherwise."""

import math
from collections.abc import Mapping
from typing import Any

from zoo.errors import IntegrityError
from zoo.printable import printable

OURS = {"global_pool": "avg"}
"""What timm's model_args may hold with no other value."""

_PROPORTIONS_KEPT = math.nextafter(1.0, 0.0)
"""A crop of all that covers the size: below 1, where pictures are stretched, and by less than any pixel."""

_DEFAULTS = {
    "image_size": (224, 224),
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "crop": 0.875,
    "interpolation": "bicubic",
}
"""What timm takes for what `pretrained_cfg` leaves out, whichever model it is."""


def cfg_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return timm's `pretrained_cfg`, which older files have at the root."""
    found = config.get("pretrained_cfg", config if "architecture" in config else {})
    return found if isinstance(found, dict) else {}


def check_of_timm(config: Mapping[str, Any], pool: Any, source: str) -> None:
    """Raise IntegrityError for what config.json says beside the model's arguments, and Zoo would not do."""
    cfg = cfg_of(config)
    mode, crop = cfg.get("crop_mode"), cfg.get("crop_pct")
    others = [
        f"{key}={said!r}"
        for key, said, same in (
            ("global_pool", config.get("global_pool"), (None, pool)),
            ("global_pool", cfg.get("global_pool"), (None, pool)),
            ("label_offset", cfg.get("label_offset"), (None, 0)),
            ("crop_mode", mode, (None, "center", "squash") if crop == 1 else (None, "center")),
        )
        if said not in same
    ]
    if others:
        raise IntegrityError(
            f"the config.json beside {source} says {printable(others[0])}, which has no counterpart here; "
            "load it with timm"
        )


def model_args_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what timm builds the model with: a model of one size has that of its inputs, unless it says another."""
    args, cfg = config.get("model_args") or {}, cfg_of(config)
    given = dict(args) if isinstance(args, dict) else {"model_args": args}
    size = cfg.get("input_size")
    if cfg.get("fixed_input_size") and isinstance(size, list) and len(size) == 3:
        height, width = size[1:]
        given.setdefault("img_size", height if height == width else [height, width])
    return given


def preprocessing_of_timm(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what config.json says of the preprocessing, by our names."""
    cfg = cfg_of(config)
    named = {"mean": "mean", "std": "std", "crop_pct": "crop", "interpolation": "interpolation"}
    said = {target: cfg[source] for source, target in named.items() if cfg.get(source) is not None}
    found = {**_DEFAULTS, **said}
    if found["crop"] == 1 and cfg.get("crop_mode") != "squash":
        found["crop"] = _PROPORTIONS_KEPT
    if cfg.get("input_size"):
        found["image_size"] = cfg["input_size"][1:]
    if cfg.get("fixed_input_size") and (size := model_args_of(config).get("img_size")):
        found["image_size"] = size if isinstance(size, list) else [size, size]
    return found
