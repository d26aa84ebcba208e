"""Weights with their temperature in them: as right as before, and as sure as they should be."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

import zoo


def save_calibrated(weights: str, temperature: float, folder: Path, **loading: Any) -> None:
    """Save weights whose last layer is divided by a temperature. Raise UsageError where that is no linear layer."""
    model: Any = zoo.load(weights, **loading)
    backbone: Any = model.backbone if isinstance(model, zoo.Network) else model
    layers = list(backbone.get_classifier().modules())
    if not isinstance(layers[-1], nn.Linear):
        raise zoo.UsageError(
            f"the last layer of {weights} is a {type(layers[-1]).__name__}, which no temperature goes into; divide its "
            f"logits by {temperature:.3f}"
        )
    with torch.no_grad():
        for parameter in layers[-1].parameters():
            parameter.div_(temperature)
    zoo.save(model, folder)
