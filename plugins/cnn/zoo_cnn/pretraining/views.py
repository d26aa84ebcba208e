"""Views of a picture: what a self-supervised model must recognise as the same (Chen et al., 2020, section 3)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.pretraining.backbone import pooled
from zoo_cnn.pretraining.settings import ViewSettings


def make_view(
    images: Tensor, draws: zoo.Draws, settings: ViewSettings, *, area: tuple[float, float] | None = None
) -> Tensor:
    """Return one view of each picture, of its size: a crop of that share of the area, mirrored, coloured, blurred."""
    images = zoo.random_resized_crop(
        images, draws, area=area or (settings.crop_area, 1.0), aspect=(1 / settings.crop_aspect, settings.crop_aspect)
    )
    if settings.mirrored != "no":
        images = zoo.random_flip(images, draws)
    if settings.jitter:
        tone, hue = 0.4 * settings.jitter, 0.1 * settings.jitter
        images = zoo.color_jitter(
            images, draws, brightness=tone, contrast=tone, saturation=tone, hue=hue, probability=0.8
        )
    if settings.grey:
        images = zoo.random_grayscale(images, draws, probability=settings.grey)
    if settings.blur:
        images = zoo.random_blur(images, draws, probability=settings.blur)
    if settings.solarize:
        images = zoo.random_solarize(images, draws, probability=settings.solarize)
    if settings.erasing:
        images = zoo.random_erasing(images, draws, probability=settings.erasing)
    return images


def two_views(images: Tensor, draws: zoo.Draws, settings: ViewSettings, size: list[int]) -> Tensor:
    """Return a view of each picture, and below them another of each, of the size (height, width)."""
    return scaled(torch.cat([make_view(images, draws.within(f"view {place}"), settings) for place in (1, 2)]), size)


def local_views(
    images: Tensor, draws: zoo.Draws, settings: ViewSettings, *, count: int, area: tuple[float, float], size: list[int]
) -> Tensor:
    """Return `count` views of small parts of each picture, of the size (height, width), one below the other."""
    views = [make_view(images, draws.within(f"local view {place}"), settings, area=area) for place in range(count)]
    return scaled(torch.cat(views), size)


def scaled(images: Tensor, size: list[int]) -> Tensor:
    """Return the pictures in another size (height, width)."""
    if list(images.shape[2:]) == size:
        return images
    return F.interpolate(images, size, mode="bilinear", antialias=True).clamp(0, 1)


def size_of_views(model: nn.Module, preprocessing: zoo.Preprocessing, share: float) -> list[int]:
    """Return height and width of views: that share of a picture's, or all of it where the model takes nothing less."""
    whole = list(preprocessing.image_size)
    smaller = [max(1, round(share * side)) for side in whole]
    if smaller == whole:
        return whole
    device = next(model.parameters()).device
    with zoo.evaluating(model):
        try:
            pooled(model, torch.zeros(1, preprocessing.channels, *smaller, device=device), preprocessing)
        except (RuntimeError, ValueError):  # a dense layer on pixels, or places learnt for one size
            return whole
    return smaller
