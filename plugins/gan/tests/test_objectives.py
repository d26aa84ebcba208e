"""Each loss against numbers worked out by hand, and penalties against functions whose gradients are known."""

import math

import pytest
import torch
from zoo_gan import objectives
from zoo_gan.objectives import between, distance_from_one, squared_slopes

REAL = torch.tensor([[0.0], [2.0]])
MADE = torch.tensor([[0.0], [-1.0]])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def mean(*values: float) -> float:
    return sum(values) / len(values)


LOG_REAL = mean(math.log(sigmoid(0)), math.log(sigmoid(2)))
LOG_NOT_MADE = mean(math.log(1 - sigmoid(0)), math.log(1 - sigmoid(-1)))
LOG_MADE = mean(math.log(sigmoid(0)), math.log(sigmoid(-1)))
PAIRS = (math.log(1 + math.exp(0 - 0)), math.log(1 + math.exp(-(2 - -1))))
TURNED = (math.log(1 + math.exp(0 - 0)), math.log(1 + math.exp(-(-1 - 2))))


@pytest.mark.parametrize(
    ("objective", "discriminator", "generator"),
    [
        (objectives.MINIMAX, -LOG_REAL - LOG_NOT_MADE, LOG_NOT_MADE),
        (objectives.NON_SATURATING, -LOG_REAL - LOG_NOT_MADE, -LOG_MADE),
        (objectives.LEAST_SQUARES, mean(1, 1) / 2 + mean(0, 1) / 2, mean(1, 4) / 2),
        (objectives.HINGE, mean(1, 0) + mean(1, 0), -mean(0, -1)),
        (objectives.WASSERSTEIN, mean(0, -1) - mean(0, 2), -mean(0, -1)),
        (objectives.RELATIVISTIC, mean(*PAIRS), mean(*TURNED)),
    ],
    ids=["minimax", "non_saturating", "least_squares", "hinge", "wasserstein", "relativistic"],
)
def test_losses_are_their_formulas(objective: objectives.Objective, discriminator: float, generator: float) -> None:
    assert float(objective.discriminator(REAL, MADE)) == pytest.approx(discriminator, rel=1e-6)
    assert float(objective.generator(REAL, MADE)) == pytest.approx(generator, rel=1e-6)


def test_the_minimax_game_is_zero_sum() -> None:
    """Up to the part that the generator does not reach."""
    made = MADE.clone().requires_grad_()
    (objectives.classify(REAL, made) + objectives.saturate(REAL, made)).backward()
    assert float(made.grad.abs().max()) == pytest.approx(0, abs=1e-7)


def test_where_the_discriminator_is_sure_minimax_saturates_and_the_other_does_not() -> None:
    slopes = []
    for loss in (objectives.saturate, objectives.non_saturating_loss):
        made = torch.full((1, 1), -10.0, requires_grad=True)
        loss(made, made).backward()
        slopes.append(float(made.grad))
    assert abs(slopes[0]) < 1e-4 and slopes[1] == pytest.approx(-1, abs=1e-4)


def test_slopes_are_those_by_pixels_from_minus_one_to_one() -> None:
    images = torch.rand(3, 1, 2, 2, requires_grad=True)
    weights = torch.tensor([1.0, 2.0, 3.0, 4.0])
    scores = ((2 * images - 1).flatten(1) * weights).sum(1, keepdim=True)
    assert squared_slopes(scores, images).tolist() == pytest.approx([30.0] * 3)
    quadratic = (2 * images - 1).flatten(1).square().sum(1, keepdim=True)
    expected = 4 * (2 * images - 1).flatten(1).square().sum(1)
    torch.testing.assert_close(squared_slopes(quadratic, images), expected)


def test_a_penalty_moves_the_weights() -> None:
    weight = torch.tensor([3.0, 4.0], requires_grad=True)
    images = torch.rand(2, 1, 1, 2, requires_grad=True)
    scores = ((2 * images - 1).flatten(1) * weight).sum(1, keepdim=True)
    penalty = distance_from_one(squared_slopes(scores, images))
    assert float(penalty.detach()) == pytest.approx(16)
    penalty.backward()
    assert weight.grad.tolist() == pytest.approx([2 * 4 * 0.6, 2 * 4 * 0.8])


def test_between_lies_on_the_line() -> None:
    real, made = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2)
    share = torch.tensor([0.0, 0.25, 1.0]).view(3, 1, 1, 1)
    assert between(real, made, share)[:, 0, 0, 0].tolist() == [0.0, 0.25, 1.0]
