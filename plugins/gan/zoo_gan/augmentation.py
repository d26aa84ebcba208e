"""Differentiable augmentation (Zhao et al., 2020): the discriminator sees real and made pictures changed alike.

What is changed, and by how much, is drawn first, a row for each sample; then it is applied, so that gradients pass. As
in the paper the zero that fills up is that of pixels in [-1, 1]: grey.
"""

import torch
from torch import Tensor

import zoo
from zoo_gan.settings import Policy

Changes = dict[str, Tensor]
"""Numbers in [0, 1) by what they decide, a row for each sample."""

_NUMBERS = {"colour": 3, "translation": 2, "cutout": 2}
_SHIFT = 1 / 8
_HOLE = 1 / 2
_GREY = 0.5


def draw_changes(policy: Policy, draws: zoo.Draws) -> Changes:
    """Draw what a policy changes; "none" changes nothing."""
    return {name: draws.uniform(name, count) for name, count in _NUMBERS.items() if name in policy.split("_")}


def change(images: Tensor, changes: Changes) -> Tensor:
    """Return pictures in [0, 1], which may leave that range, changed as was drawn."""
    if "colour" in changes:
        images = _recolour(images, changes["colour"])
    if "translation" in changes:
        images = _translate(images, changes["translation"])
    if "cutout" in changes:
        images = _cut_out(images, changes["cutout"])
    return images


def _recolour(images: Tensor, numbers: Tensor) -> Tensor:
    """Change brightness by up to a quarter, saturation by a factor of up to 2, contrast by one from 0.5 to 1.5."""
    brightness, saturation, contrast = numbers[:, :, None, None, None].unbind(1)
    images = images + (brightness - 0.5) / 2
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * 2 * saturation
    average = images.mean((1, 2, 3), keepdim=True)
    return average + (images - average) * (contrast + 0.5)


def _translate(images: Tensor, numbers: Tensor) -> Tensor:
    """Move by up to an eighth of the sides."""
    height, width = images.shape[2:]
    rows = _shifted(height, numbers[:, 0])
    columns = _shifted(width, numbers[:, 1]).transpose(1, 2)
    return rows[:, None] @ (images - _GREY) @ columns[:, None] + _GREY


def _shifted(size: int, numbers: Tensor) -> Tensor:
    """Return matrices (batch, size, size) that move what they multiply; the product of ones and zeros is exact."""
    maximum = int(_SHIFT * size + 0.5)
    shifts = (numbers * (2 * maximum + 1)).long() - maximum
    places = torch.arange(size, device=numbers.device)
    return (places[None, :, None] - places[None, None, :] == shifts[:, None, None]).float()


def _cut_out(images: Tensor, numbers: Tensor) -> Tensor:
    """Make a rectangle of half the sides grey, anywhere, over the edges too."""
    height, width = images.shape[2:]
    inside = _covered(height, numbers[:, 0])[:, :, None] & _covered(width, numbers[:, 1])[:, None, :]
    return torch.where(inside[:, None], _GREY, images)


def _covered(size: int, numbers: Tensor) -> Tensor:
    """Return which places, (batch, size), lie in a hole around a place that was drawn."""
    hole = int(_HOLE * size + 0.5)
    start = (numbers * (size + 1 - hole % 2)).long() - hole // 2
    places = torch.arange(size, device=numbers.device)
    return (places >= start[:, None]) & (places < start[:, None] + hole)
