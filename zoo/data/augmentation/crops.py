"""Cut a part out of each picture and scale it, as torchvision's RandomResizedCrop does."""

import math

import torch
from torch import Tensor

from zoo.data.draws import Draws

_TRIES = 10


def random_resized_crop(
    images: Tensor,
    draws: Draws,
    *,
    area: tuple[float, float] = (0.08, 1.0),
    aspect: tuple[float, float] = (3 / 4, 4 / 3),
    size: tuple[int, int] | None = None,
    sizes: Tensor | None = None,
) -> Tensor:
    """Cut a part out of each picture, of a share of its area and an aspect, and scale it to `size`, or the old one.

    `sizes`, (batch, 2), are the heights and widths that pictures had before they were stretched to one: area and aspect
    are of those.
    """
    height, width = images.shape[2:]
    own = torch.tensor([[height, width]], device=images.device).expand(len(images), -1) if sizes is None else sizes
    boxes = crop_boxes(own, draws, area=area, aspect=aspect)
    if sizes is not None:
        stretch = torch.tensor([height, width], device=images.device) / own
        edges = torch.cat([boxes[:, :2] * stretch, (boxes[:, :2] + boxes[:, 2:]) * stretch], 1).round().long()
        boxes = torch.cat([edges[:, :2], (edges[:, 2:] - edges[:, :2]).clamp(min=1)], 1)
        boxes[:, :2] = torch.minimum(boxes[:, :2], torch.tensor([height, width], device=images.device) - boxes[:, 2:])
    return resized_boxes(images, boxes, size or (height, width))


def crop_boxes(sizes: Tensor, draws: Draws, *, area: tuple[float, float], aspect: tuple[float, float]) -> Tensor:
    """Return top, left, height and width of a part of each picture, int64 (batch, 4), of heights and widths `sizes`.

    Of ten parts that are drawn the first that lies within the picture, or else its middle, of the nearest aspect.
    """
    height, width = sizes.double().unbind(1)
    share = draws.uniform("area", _TRIES).double() * (area[1] - area[0]) + area[0]
    low, high = map(math.log, aspect)
    stretch = (draws.uniform("aspect", _TRIES).double() * (high - low) + low).exp()
    pixels = share * (height * width)[:, None]
    widths, heights = (pixels * stretch).sqrt().round(), (pixels / stretch).sqrt().round()
    fits = (widths > 0) & (heights > 0) & (widths <= width[:, None]) & (heights <= height[:, None])
    first = fits.byte().argmax(1, keepdim=True)
    ratio = (width / height).clamp(*aspect)
    middle = torch.stack(
        [torch.minimum(height, (width / ratio).round()), torch.minimum(width, (height * ratio).round())]
    )
    found = torch.stack([heights.gather(1, first)[:, 0], widths.gather(1, first)[:, 0]])
    drawn = fits.any(1)
    shape = torch.where(drawn, found, middle)
    room = torch.stack([height, width]) - shape
    place = (draws.uniform("place", 2).double().T * (room + 1)).floor()
    place = torch.where(drawn, place, (room / 2).floor())
    return torch.cat([place, shape]).T.long()


def resized_boxes(images: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Scale a part of each picture to a size, bilinear and antialiased; `boxes` are as `crop_boxes` gives them."""
    top, left, height, width = boxes.unbind(1)
    rows = _resized(images, top, height, size[0])
    return _resized(rows.transpose(2, 3), left, width, size[1]).transpose(2, 3)


def _resized(images: Tensor, start: Tensor, length: Tensor, new: int) -> Tensor:
    """Scale along the rows: weighted sums of those that lie below a triangle as wide as two new pixels, or two old."""
    batch, channels, rows, columns = images.shape
    scale = (length.float() / new)[:, None]
    support = scale.clamp(min=1)
    centre = (torch.arange(new, device=images.device) + 0.5) * scale
    first = (centre - support + 0.5).clamp(min=0).floor()
    last = torch.minimum((centre + support + 0.5).floor(), length[:, None].float())
    most = 2 * math.ceil(max(1.0, rows / new)) + 1
    places = first[..., None] + torch.arange(most, device=images.device)
    weights = (1 - ((places - centre[..., None] + 0.5) / support[..., None]).abs()).clamp(min=0)
    weights = weights * (places < last[..., None])
    weights = (weights / weights.sum(2, keepdim=True)).to(images.dtype)
    inside = torch.minimum(places.long(), length[:, None, None] - 1) + start[:, None, None]
    # Whole rows are copied and added one by one: a matrix product's rounding depends on the size of the batch
    planes = torch.arange(batch * channels, device=images.device).view(batch, channels, 1) * rows
    lines = images.reshape(-1, columns)
    total = images.new_zeros(batch, channels, new, columns)
    for tap in range(most):
        picked = lines.index_select(0, (planes + inside[:, None, :, tap]).flatten()).view_as(total)
        total.addcmul_(picked, weights[:, None, :, tap, None])
    return total
