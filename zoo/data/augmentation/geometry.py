"""Move pictures: crops, flips and affine maps. What comes into view from outside is black."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.draws import Draws


def random_flip(images: Tensor, draws: Draws) -> Tensor:
    """Mirror half of the pictures left to right."""
    # lerp is exact at 0 and at 1, and more than twice as fast as where, whose condition is broadcast
    return images.lerp(images.flip(3), (draws.uniform("flip", 1, 1, 1) < 0.5).to(images.dtype))


def random_crop(images: Tensor, draws: Draws, *, share: float = 0.125) -> Tensor:
    """Shift each picture by up to this share of its size: pad it, and cut a window of the old size out."""
    height, width = images.shape[2:]
    rows, columns = round(share * height), round(share * width)
    padded = F.pad(images, (columns, columns, rows, rows))
    tops, lefts = 2 * rows + 1, 2 * columns + 1
    place = draws.integers("crop", 0, tops * lefts)
    top = place.div(lefts, rounding_mode="floor")
    return _windows(padded, top, place - top * lefts, height, width)


def random_affine(
    images: Tensor,
    draws: Draws,
    *,
    degrees: float = 10.0,
    shift: float = 0.1,
    scale: float = 0.1,
    shear: float = 0.1,
) -> Tensor:
    """Turn, shift, scale and shear each picture about its centre, by amounts drawn evenly from both sides of none."""
    amounts = draws.uniform("affine", 6) * 2 - 1
    return affine(
        images,
        radians=amounts[:, 0] * math.radians(degrees),
        shift=amounts[:, 1:3] * shift,
        scale=1 + amounts[:, 3] * scale,
        shear=amounts[:, 4:6] * shear,
    )


def affine(
    images: Tensor,
    *,
    radians: Tensor | None = None,
    shift: Tensor | None = None,
    scale: Tensor | None = None,
    shear: Tensor | None = None,
) -> Tensor:
    """Map each picture about its centre by its own amounts.

    `radians`, anticlockwise, and `scale` are of shape (batch,); `shift` in shares of width and height and `shear`, as
    tangents along the rows and the columns, are of shape (batch, 2).
    """
    batch, _, height, width = images.shape
    zero = images.new_zeros(batch)
    cosine, sine = (zero + 1, zero) if radians is None else (radians.cos(), radians.sin())
    along, down = (zero, zero) if shear is None else shear.unbind(1)
    # Output places are mapped back to the input, in pixels: turned, then sheared
    matrix = torch.stack(
        [
            cosine - sine * down,
            (cosine * along - sine) * (height / width),
            (sine + cosine * down) * (width / height),
            sine * along + cosine,
        ],
        1,
    ).view(-1, 2, 2)
    if scale is not None:
        matrix = matrix / scale[:, None, None]
    offset = zero[:, None].expand(-1, 2) if shift is None else shift * -2
    return _sample(images, matrix, offset)


def _windows(padded: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Cut one window out of each picture."""
    batch, channels, rows, columns = padded.shape
    which = torch.arange(batch, device=padded.device)
    if padded.requires_grad:
        return padded.unfold(2, height, 1).unfold(3, width, 1)[which, :, top, left]
    # One selection from all windows there are, which overlap in memory: its rows are copied whole, which takes a
    # quarter of the time of indexing. Its gradient would be as large as all windows.
    plane = rows * columns
    sample = channels * plane
    count = batch * sample - (channels - 1) * plane - (height - 1) * columns - (width - 1)
    windows = padded.contiguous().as_strided((count, channels, height, width), (1, plane, columns, 1))
    return windows.index_select(0, which * sample + top * columns + left)


def _sample(images: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Fill each output place from the input place `matrix @ place + offset`, places running from -1 to 1."""
    height, width = images.shape[2:]
    x = (torch.arange(width, device=images.device) * 2 + 1) / width - 1
    y = (torch.arange(height, device=images.device)[:, None] * 2 + 1) / height - 1
    # Written out, because a matrix product's rounding depends on the size of the batch
    columns, rows = matrix[:, None, None].unbind(4)
    grid = columns * x[:, None] + rows * y[:, :, None] + offset[:, None, None]
    return F.grid_sample(images, grid.to(images.dtype), align_corners=False).clamp(0, 1)
