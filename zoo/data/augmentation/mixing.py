"""Mix each picture with that at the mirrored place of its batch, and their targets in the same proportion."""

from typing import get_args

import torch
from torch import Tensor

from zoo.data.augmentation.erasing import rectangles
from zoo.data.augmentation.names import Mixing
from zoo.data.draws import Draws
from zoo.errors import UsageError

_TRIES = 32


def mix(images: Tensor, targets: Tensor, draws: Draws, mixing: Mixing) -> tuple[Tensor, Tensor]:
    """Return images and soft targets, mixed as the setting says.

    `targets` are floats of shape (batch, classes), such as `F.one_hot(labels, classes).float()`; cross-entropy takes
    them in place of labels. Unlike augmentation, the result depends on who is in the batch.
    """
    if mixing not in get_args(Mixing):
        raise UsageError(f"no mixing {mixing!r}; choose one of {', '.join(get_args(Mixing))}")
    if mixing == "none":
        return images, targets
    if mixing == "mixup":
        return mixup(images, targets, draws)
    if mixing == "cutmix":
        return cutmix(images, targets, draws)
    chosen = draws.uniform("mixing", 1) < 0.5
    pairs = zip(mixup(images, targets, draws), cutmix(images, targets, draws), strict=True)
    blended, cut = (torch.where(chosen.view(-1, *[1] * (a.ndim - 1)), a, b) for a, b in pairs)
    return blended, cut


def mixup(images: Tensor, targets: Tensor, draws: Draws, *, alpha: float = 0.2) -> tuple[Tensor, Tensor]:
    """Blend with the partner, the own share drawn from Beta(alpha, alpha) (Zhang et al., 2017)."""
    own = _beta(draws, "mixup", alpha)
    return images.flip(0).lerp(images, own.to(images.dtype)[:, None, None, None]), _blend(targets, own)


def cutmix(images: Tensor, targets: Tensor, draws: Draws, *, alpha: float = 1.0) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of the partner in, its area drawn from Beta(alpha, alpha) (Yun et al., 2019)."""
    side = (1 - _beta(draws, "cutmix", alpha)).sqrt()
    pasted = rectangles(images, side, side, draws.uniform("cutmix centre", 2))
    own = 1 - pasted.float().mean(3).mean(2)[:, 0]
    return torch.where(pasted, images.flip(0), images), _blend(targets, own)


def _blend(targets: Tensor, own: Tensor) -> Tensor:
    return targets.flip(0).lerp(targets, own.to(targets.dtype)[:, None])


def _beta(draws: Draws, name: str, alpha: float) -> Tensor:
    """Draw from Beta(alpha, alpha) by Jöhnk (1964), in logarithms: of many pairs the first that he accepts.

    Each pair is accepted with at least a half's chance; that none is happens once in 2^32.
    """
    if not 0 < alpha <= 1:
        raise UsageError(f"alpha={alpha} of {name}; give a number above 0 and up to 1")
    first, second = (1 - draws.uniform(name, 2, _TRIES)).log().div(alpha).unbind(1)
    accepted = torch.logaddexp(first, second) <= 0
    taken = accepted.to(torch.uint8).argmax(1, keepdim=True)
    return (first - second).gather(1, taken)[:, 0].sigmoid()
