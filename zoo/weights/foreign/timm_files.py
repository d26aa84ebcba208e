"""What timm's config.json says beside the model's arguments: the preprocessing, and what Zoo would do otherwise."""

from collections.abc import Mapping
from typing import Any

from zoo.errors import IntegrityError
from zoo.printable import printable

OURS = {"global_pool": "avg"}
"""What timm's model_args may hold with no other value."""

_TIMM = {
    "mean": ("mean", (0.485, 0.456, 0.406)),
    "std": ("std", (0.229, 0.224, 0.225)),
    "crop": ("crop_pct", 0.875),
    "crop_mode": ("crop_mode", "center"),
    "interpolation": ("interpolation", "bicubic"),
}
"""timm's keys, and what it takes where they are missing or empty (data.resolve_data_config)."""


def cfg_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return timm's `pretrained_cfg`, which older files have at the root."""
    found = config.get("pretrained_cfg", config if "architecture" in config else {})
    return found if isinstance(found, dict) else {}


def check_of_timm(config: Mapping[str, Any], pool: Any, source: str) -> None:
    """Raise IntegrityError for what config.json says beside the model's arguments, and Zoo would not do.

    `pool` is how the model pools; None where timm's own class does it.
    """
    cfg = cfg_of(config)
    others = [
        f"{key}={said!r}"
        for key, said, same in (
            *(("global_pool", said.get("global_pool"), (None, pool)) for said in (config, cfg) if pool is not None),
            ("label_offset", cfg.get("label_offset"), (None, 0)),
            ("crop_mode", cfg.get("crop_mode"), (None, "center", "squash", "border")),
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
    """Return what timm makes of its configuration, whichever keys are left out of it, by our names."""
    cfg = cfg_of(config)
    found = {target: cfg.get(source) or default for target, (source, default) in _TIMM.items()}
    found["image_size"] = (cfg.get("input_size") or (3, 224, 224))[1:]
    if cfg.get("fixed_input_size") and (size := model_args_of(config).get("img_size")):
        found["image_size"] = size if isinstance(size, list) else [size, size]
    return found
