"""Compute in half precision where the settings say so: autocast, and for fp16 a loss scaler for each optimizer."""

import logging
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch

from zoo.engine.distribution import Distribution
from zoo.errors import UsageError
from zoo.specs.settings import TrainingSettings

_log = logging.getLogger("zoo")

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(settings: TrainingSettings, device: torch.device) -> AbstractContextManager[Any] | None:
    """Return the context, to be entered again and again, in which forward passes run; None where there is none."""
    if settings.precision == "fp32":
        return None
    if device.type == "cpu" and not computed_fast(settings.precision):
        _log.warning(
            "this processor does not compute %s: torch emulates it, up to 40 times more slowly; "
            "stop and use --set precision=fp32",
            settings.precision,
        )
    return torch.autocast(device.type, _DTYPES[settings.precision])


def computed_fast(precision: str) -> bool:
    """Say whether this machine's processor multiplies matrices of bf16 or fp16 faster than number by number."""
    ask = getattr(torch.ops.mkldnn, f"_is_mkldnn_{precision}_supported", None)  # None in a torch without oneDNN
    return ask is not None and bool(ask())


def scalers(
    settings: TrainingSettings, optimizers: Iterable[str], distribution: Distribution
) -> dict[str, torch.amp.GradScaler]:
    """Return the loss scalers by optimizer; only fp16, whose gradients would vanish, needs any."""
    if settings.precision != "fp16":
        return {}
    if distribution.sharding == "fsdp":
        raise UsageError("precision=fp16 does not run sharded; use precision=bf16, or --sharding ddp")
    return {name: torch.amp.GradScaler(distribution.device.type) for name in optimizers}
