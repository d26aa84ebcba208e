"""Change colours and tones of pictures, each by its own `strength`, of shape (batch,); 0 changes nothing."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.draws import Draws

_LUMA = (0.299, 0.587, 0.114)


def color_jitter(
    images: Tensor,
    draws: Draws,
    *,
    brightness: float = 0.4,
    contrast: float = 0.4,
    saturation: float = 0.4,
    hue: float = 0.05,
    probability: float = 1.0,
) -> Tensor:
    """Change brightness, contrast, saturation and hue of a share of the pictures, by up to these amounts up or down."""
    amounts = draws.uniform("colour", 4) * 2 - 1
    if probability < 1:
        amounts = amounts * (draws.uniform("coloured", 1) < probability)
    images = change_brightness(images, amounts[:, 0] * brightness)
    images = change_contrast(images, amounts[:, 1] * contrast)
    images = change_saturation(images, amounts[:, 2] * saturation)
    return turn_hue(images, amounts[:, 3] * hue)


def random_grayscale(images: Tensor, draws: Draws, *, probability: float = 0.2) -> Tensor:
    """Take the colour out of a share of the pictures."""
    if images.shape[1] == 1:
        return images
    return torch.where(draws.uniform("grey", 1, 1, 1) < probability, _luma(images), images)


def random_solarize(images: Tensor, draws: Draws, *, probability: float = 0.2) -> Tensor:
    """Invert what is brighter than a half, in a share of the pictures."""
    return solarize(images, (draws.uniform("solarised") < probability) * 0.5)


def change_brightness(images: Tensor, strength: Tensor) -> Tensor:
    """Multiply by 1 + strength: -1 is black."""
    return (images * (1 + strength)[:, None, None, None]).clamp(0, 1)


def change_contrast(images: Tensor, strength: Tensor) -> Tensor:
    """Move away from the picture's mean luma: -1 is a grey area."""
    # In two steps, because a sum over a whole picture is split over threads when the batch is one picture
    mean = _luma(images).mean(3, keepdim=True).mean(2, keepdim=True)
    return _away(images, mean, strength)


def change_saturation(images: Tensor, strength: Tensor) -> Tensor:
    """Move away from the picture in grey: -1 has no colour."""
    return images if images.shape[1] == 1 else _away(images, _luma(images), strength)


def turn_hue(images: Tensor, strength: Tensor) -> Tensor:
    """Turn the colours about the grey axis by this share of a circle."""
    if images.shape[1] == 1:
        return images
    angle = strength[:, None, None, None] * (2 * math.pi)
    cosine, sine = angle.cos(), angle.sin() / math.sqrt(3)
    # The rotation about (1, 1, 1) after Rodrigues: its matrix is circulant, two rolls and three factors
    own, rest = (1 + 2 * cosine) / 3, (1 - cosine) / 3
    return (images * own + images.roll(1, 1) * (rest + sine) + images.roll(-1, 1) * (rest - sine)).clamp(0, 1)


def sharpen(images: Tensor, strength: Tensor) -> Tensor:
    """Move away from the picture smoothed: -1 is smoothed, the edge pixels staying as they are."""
    if min(images.shape[2:]) < 3:
        return images
    rows = images[:, :, :-2] + images[:, :, 1:-1] + images[:, :, 2:]
    sums = rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]
    inner = images[:, :, 1:-1, 1:-1]
    away = F.pad((inner - (sums + inner * 4) / 13) * strength[:, None, None, None], (1, 1, 1, 1))
    return (images + away).clamp(0, 1)


def posterize(images: Tensor, strength: Tensor) -> Tensor:
    """Keep the highest 8 of 8 bits of each value, and at strength 1 the highest 4."""
    step = 2 ** (strength * 4).round()[:, None, None, None]
    return torch.where(step > 1, (images * 255).round().div(step).floor() * step / 255, images)


def solarize(images: Tensor, strength: Tensor) -> Tensor:
    """Invert what is brighter than 1 - strength."""
    return torch.where(images > (1 - strength)[:, None, None, None], 1 - images, images)


def autocontrast(images: Tensor, strength: Tensor) -> Tensor:
    """Stretch each channel to the whole range, wherever strength is not 0."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    span = high - low
    stretched = torch.where(span > 0, (images - low) / span.clamp(min=1 / 255), images).clamp(0, 1)
    return torch.where((strength != 0)[:, None, None, None], stretched, images)


def equalize(images: Tensor, strength: Tensor) -> Tensor:
    """Spread the 256 tones of each channel evenly, wherever strength is not 0."""
    tones = (images * 255).round().long().flatten(2)
    counts = tones.new_zeros(*tones.shape[:2], 256).scatter_add_(2, tones, torch.ones_like(tones))
    below = counts.cumsum(2) - counts
    total = tones.shape[2] - counts.gather(2, tones.amax(2, keepdim=True))  # the brightest tone becomes 1
    spread = (below / total.clamp(min=1)).clamp(0, 1).gather(2, tones).view(images.shape).to(images.dtype)
    changes = (strength != 0)[:, None, None, None] & (total > 0)[..., None]
    return torch.where(changes, spread, images)


def _away(images: Tensor, centre: Tensor, strength: Tensor) -> Tensor:
    return (images + (images - centre) * strength[:, None, None, None]).clamp(0, 1)


def _luma(images: Tensor) -> Tensor:
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(1)
    return (red * _LUMA[0] + green * _LUMA[1] + blue * _LUMA[2])[:, None]
