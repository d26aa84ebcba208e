"""RandAugment (Cubuk et al., 2019): each picture takes a few of 14 operations, all of one magnitude."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from zoo.data.augmentation import colour
from zoo.data.augmentation.geometry import affine
from zoo.data.draws import Draws

_SHEAR, _SHIFT, _TURN, _TONE = 0.3, 0.45, math.radians(30), 0.9


def _along(axis: int, strength: Tensor) -> Tensor:
    amounts = strength.new_zeros(len(strength), 2)
    amounts[:, axis] = strength
    return amounts


# The strength runs from -1 to 1. Operations that know no sign take its size.
_OPERATIONS: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    lambda images, strength: images,
    lambda images, strength: affine(images, shear=_along(0, strength * _SHEAR)),
    lambda images, strength: affine(images, shear=_along(1, strength * _SHEAR)),
    lambda images, strength: affine(images, shift=_along(0, strength * _SHIFT)),
    lambda images, strength: affine(images, shift=_along(1, strength * _SHIFT)),
    lambda images, strength: affine(images, radians=strength * _TURN),
    lambda images, strength: colour.change_brightness(images, strength * _TONE),
    lambda images, strength: colour.change_saturation(images, strength * _TONE),
    lambda images, strength: colour.change_contrast(images, strength * _TONE),
    lambda images, strength: colour.sharpen(images, strength * _TONE),
    lambda images, strength: colour.posterize(images, strength.abs()),
    lambda images, strength: colour.solarize(images, strength.abs()),
    colour.autocontrast,
    colour.equalize,
)


def rand_augment(images: Tensor, draws: Draws, *, operations: int = 2, magnitude: float = 0.3) -> Tensor:
    """Apply this many operations to each picture, one after the other; a magnitude of 0 changes nothing."""
    chosen = draws.integers("operations", 0, len(_OPERATIONS), operations)
    strengths = ((draws.uniform("signs", operations) < 0.5) * 2 - 1) * magnitude
    for layer in range(operations):
        images = _apply(images, chosen[:, layer], strengths[:, layer])
    return images


def _apply(images: Tensor, chosen: Tensor, strengths: Tensor) -> Tensor:
    """Sort the batch by operation, so that each computes its own share alone, and sort it back."""
    order = chosen.argsort(stable=True)
    counts = chosen.bincount(minlength=len(_OPERATIONS)).tolist()
    parts = zip(torch.split(images[order], counts), torch.split(strengths[order], counts), strict=True)
    changed = [operation(*part) for operation, part in zip(_OPERATIONS, parts, strict=True) if len(part[0])]
    back = torch.empty_like(order).scatter_(0, order, torch.arange(len(order), device=order.device))
    return torch.cat(changed)[back]
