"""Compute in half precision where the settings say so: autocast, and for fp16 a loss scaler for each optimizer."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import torch

from zoo.engine.distribution import Distribution
from zoo.errors import UsageError
from zoo.settings import TrainingSettings

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(settings: TrainingSettings, device: torch.device) -> AbstractContextManager[Any] | None:
    """Return the context, to be entered again and again, in which forward passes run; None where there is none."""
    if settings.precision == "fp32":
        return None
    return torch.autocast(device.type, _DTYPES[settings.precision])


def scalers(
    settings: TrainingSettings, optimizers: Iterable[str], distribution: Distribution
) -> dict[str, torch.amp.GradScaler]:
    """Return the loss scalers by optimizer; only fp16, whose gradients would vanish, needs any."""
    if settings.precision != "fp16":
        return {}
    if distribution.sharding == "fsdp":
        raise UsageError("precision=fp16 does not run sharded; use precision=bf16, or --sharding ddp")
    return {name: torch.amp.GradScaler(distribution.device.type) for name in optimizers}
