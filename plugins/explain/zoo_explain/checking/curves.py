"""How much of a class is left when the pixels that a map names first are taken away, or put in first."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_explain.checking.imputing import imputed

Likely = Callable[[Tensor, Tensor], Tensor]
"""Returns how likely what is explained is (batch,), of images and the places of images in the batch."""
STEPS = 8
ROAD_SHARES = (0.1, 0.3, 0.5, 0.7)
_NOISE = 0.01


def deletion(likely: Likely, images: Tensor, maps: Tensor, flat: Tensor, batch_size: int, steps: int = STEPS) -> Tensor:
    """Return the mean likelihood (batch,) while pixels give way to `flat`, the highest of the map first.

    The area under the curve of Petsiuk et al., 2018: low is good.
    """
    return _area(likely, (images, flat.expand_as(images)), order(maps), batch_size, steps)


def insertion(likely: Likely, images: Tensor, maps: Tensor, batch_size: int, steps: int = STEPS) -> Tensor:
    """Return the mean likelihood (batch,) while pixels come into a blurred image, the highest of the map first.

    The area under the curve of Petsiuk et al., 2018: high is good.
    """
    return _area(likely, (blurred(images), images), order(maps), batch_size, steps)


def road(likely: Likely, images: Tensor, maps: Tensor, batch_size: int) -> Tensor:
    """Return the mean likelihood (batch,) when 10, 30, 50 and 70 % of the pixels are imputed, the highest first.

    Remove and debias (Rong et al., 2022): what is put in follows from its neighbours, so that its shape tells nothing.
    Low is good.
    """
    ranks = order(maps)
    found = []
    for share in ROAD_SHARES:
        gone = ranks < round(share * ranks[0].numel())
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0)).to(images) * _NOISE
        found.append(_in_batches(likely, imputed(images, gone, noise), batch_size))
    return torch.stack(found).mean(0)


def order(maps: Tensor) -> Tensor:
    """Return for each pixel how many come before it (batch, height, width): 0 is the highest of its map."""
    flat = maps.flatten(1)
    places = flat.argsort(dim=1, descending=True, stable=True)
    ranks = torch.empty_like(places).scatter_(1, places, torch.arange(flat.shape[1]).expand_as(places).to(places))
    return ranks.view_as(maps)


def blurred(images: Tensor) -> Tensor:
    """Return images of which hardly more is left than how bright their parts are."""
    height, width = images.shape[2:]
    small = F.interpolate(images, (max(1, height // 8), max(1, width // 8)), mode="area")
    return F.interpolate(small, (height, width), mode="bilinear")


def edges(images: Tensor) -> Tensor:
    """Return how steep images are (batch, height, width), by Sobel's filters, smoothed a little."""
    grey = F.pad(images.mean(1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    kernel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]]).to(images)
    both = F.conv2d(grey, torch.stack([kernel, kernel.T])[:, None])
    return F.avg_pool2d(both.square().sum(1, keepdim=True).sqrt(), 3, 1, 1, count_include_pad=False)[:, 0]


def moved(maps: Tensor, generator: torch.Generator) -> Tensor:
    """Return each map turned around at random and shifted in a circle: as smooth as it is, and of another place."""
    found = []
    for one in maps:
        down, right, turns = (int(torch.randint(0, high, (1,), generator=generator)) for high in (*one.shape, 4))
        one = one.flip(0) if turns % 2 else one
        one = one.flip(1) if turns // 2 else one
        found.append(one.roll((down, right), (0, 1)))
    return torch.stack(found)


def _area(likely: Likely, ends: tuple[Tensor, Tensor], ranks: Tensor, batch_size: int, steps: int) -> Tensor:
    before, after = ends
    pixels = ranks[0].numel()
    values = []
    for step in range(steps + 1):
        changed = (ranks < round(step / steps * pixels))[:, None]
        values.append(_in_batches(likely, torch.where(changed, after, before), batch_size))
    curve = torch.stack(values)
    return (curve[1:] + curve[:-1]).mean(0) / 2


def _in_batches(likely: Likely, images: Tensor, batch_size: int) -> Tensor:
    places = torch.arange(len(images), device=images.device)
    parts = zip(torch.split(images, batch_size), torch.split(places, batch_size), strict=True)
    return torch.cat([likely(some, which) for some, which in parts])
