"""What a detector minimises."""

import pytest
import torch

from zoo.tasks.detection.loss import detection_loss
from zoo.tasks.detection.network import locations

SIZE, REDUCTIONS = (32, 32), (8, 16)
POINTS, SIZES = locations(SIZE, REDUCTIONS, torch.device("cpu"))
TRUTH = torch.tensor([[[4.0, 4, 28, 28, 1, 0], [0, 0, 0, 0, -1, 0]]])


def say(score: float, corners: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Let every place in the true box say its class with this score, and this box."""
    inside = ((POINTS > 4) & (POINTS < 28)).all(1)
    logits = torch.full((1, len(POINTS), 2), -9.0)
    logits[0, inside, 1] = torch.logit(torch.tensor(score))
    return logits.requires_grad_(), torch.tensor(corners).expand(1, len(POINTS), 4).clone().requires_grad_()


def test_being_right_costs_next_to_nothing() -> None:
    loss = detection_loss(*say(0.999, [4.0, 4, 28, 28]), TRUTH, SIZE, REDUCTIONS)
    assert loss.boxes.item() == pytest.approx(0, abs=1e-4)
    assert (loss.total / loss.count).item() < 1e-3


def test_a_wrong_box_and_a_wrong_class_cost() -> None:
    right = detection_loss(*say(0.999, [4.0, 4, 28, 28]), TRUTH, SIZE, REDUCTIONS)
    assert detection_loss(*say(0.999, [4.0, 4, 20, 20]), TRUTH, SIZE, REDUCTIONS).boxes > 0.1
    unsure = detection_loss(*say(0.01, [4.0, 4, 28, 28]), TRUTH, SIZE, REDUCTIONS)
    assert unsure.total / unsure.count > right.total / right.count + 0.5


def test_a_batch_without_boxes_has_a_finite_loss_that_lowers_scores() -> None:
    logits, boxes = say(0.5, [4.0, 4, 28, 28])
    loss = detection_loss(logits, boxes, torch.tensor([[[0.0, 0, 0, 0, -1, 0]]]), SIZE, REDUCTIONS)
    loss.total.backward()
    assert (loss.weight.item(), loss.count.item()) == (0, 1) and torch.isfinite(loss.total)
    assert logits.grad is not None and logits.grad.min() >= 0 and logits.grad.max() > 0


def test_what_is_not_scored_costs_nothing() -> None:
    logits, boxes = say(0.9, [4.0, 4, 28, 28])
    unscored = TRUTH.clone()
    unscored[..., 5] = 1
    background = TRUTH.clone()
    background[..., 4] = -1
    within = detection_loss(logits, boxes, unscored, SIZE, REDUCTIONS).classes
    assert within < 1e-3 < detection_loss(logits, boxes, background, SIZE, REDUCTIONS).classes
