"""What the two players minimise, as functions of the discriminator's scores, of shape (batch, 1).

D(x) stands for a score, s for the sigmoid, x for a real and y = G(z) for a made picture; E is the mean. Penalties are
on gradients by the pixels in [-1, 1].
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

Players = Callable[[Tensor, Tensor], Tensor]
"""Gives a loss from the scores of real pictures and of made ones."""


@dataclass(frozen=True)
class Objective:
    """The losses of both players; the generator's gets real scores, without gradients, where it `pairs` the two."""

    discriminator: Players
    generator: Players
    pairs: bool = False


def classify(real: Tensor, made: Tensor) -> Tensor:
    """Return -E log s(D(x)) - E log(1 - s(D(y))): real is 1, made is 0, each in the shape of the scores."""
    of_real = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
    return of_real + F.binary_cross_entropy_with_logits(made, torch.zeros_like(made))


def saturate(real: Tensor, made: Tensor) -> Tensor:
    """Return E log(1 - s(D(y))), the generator's side of the minimax game, which saturates where D is sure."""
    return -F.binary_cross_entropy_with_logits(made, torch.zeros_like(made))


def non_saturating_loss(real: Tensor, made: Tensor) -> Tensor:
    """Return -E log s(D(y))."""
    return F.binary_cross_entropy_with_logits(made, torch.ones_like(made))


def squares(real: Tensor, made: Tensor) -> Tensor:
    """Return E (D(x) - 1)^2 / 2 + E D(y)^2 / 2."""
    return (F.mse_loss(real, torch.ones_like(real)) + F.mse_loss(made, torch.zeros_like(made))) / 2


def square_to_real(real: Tensor, made: Tensor) -> Tensor:
    """Return E (D(y) - 1)^2 / 2."""
    return F.mse_loss(made, torch.ones_like(made)) / 2


def margins(real: Tensor, made: Tensor) -> Tensor:
    """Return E max(0, 1 - D(x)) + E max(0, 1 + D(y))."""
    return (1 - real).relu().mean() + (1 + made).relu().mean()


def difference(real: Tensor, made: Tensor) -> Tensor:
    """Return E D(y) - E D(x)."""
    return made.mean() - real.mean()


def raise_score(real: Tensor, made: Tensor) -> Tensor:
    """Return -E D(y)."""
    return -made.mean()


def relativistic_loss(real: Tensor, made: Tensor) -> Tensor:
    """Return E log(1 + exp(-(D(x) - D(y)))) over pairs of a real and a made picture."""
    return F.softplus(made - real).mean()


def turn_pairs(real: Tensor, made: Tensor) -> Tensor:
    """Return E log(1 + exp(-(D(y) - D(x)))) over the same pairs."""
    return F.softplus(real - made).mean()


MINIMAX = Objective(classify, saturate)
NON_SATURATING = Objective(classify, non_saturating_loss)
LEAST_SQUARES = Objective(squares, square_to_real)
HINGE = Objective(margins, raise_score)
WASSERSTEIN = Objective(difference, raise_score)
RELATIVISTIC = Objective(relativistic_loss, turn_pairs, pairs=True)


def squared_slopes(scores: Tensor, images: Tensor) -> Tensor:
    """Return the squared norm of each score's gradient by its picture in [-1, 1], shape (batch,), differentiable.

    `images` are what was given to the discriminator, in [0, 1].
    """
    (slopes,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return slopes.div(2).square().flatten(1).sum(1)


def distance_from_one(squared: Tensor) -> Tensor:
    """Return E (norm - 1)^2 of squared norms (Gulrajani et al., 2017)."""
    return (squared.clamp(min=1e-12).sqrt() - 1).square().mean()


def between(real: Tensor, made: Tensor, share: Tensor) -> Tensor:
    """Return pictures between pairs: that share, (batch, 1, 1, 1), of the real one and the rest of the made one."""
    return made + share * (real - made)
