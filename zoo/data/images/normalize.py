"""Bring pictures into the numbers that a model was trained on."""

from functools import cache

import torch
from torch import Tensor

from zoo.weights.inputs import Preprocessing


def normalize(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Return floats in [0, 1] minus the mean, over the deviation of each channel: what the model takes."""
    mean, std = preprocessing.mean, preprocessing.std
    if set(mean) == {0.0} and set(std) == {1.0}:
        return images
    return (images - _channels(mean, images.device)) / _channels(std, images.device)


@cache
def _channels(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Return a number for each channel on the device, copied there once: a copy in every step would wait for it."""
    return torch.tensor(values, device=device)[:, None, None]
