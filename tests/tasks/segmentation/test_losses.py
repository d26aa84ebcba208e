"""Losses over the pixels that count."""

import pytest
import torch
import torch.nn.functional as F

from zoo.tasks.segmentation.losses import counted_pixels, dice_loss, pixel_cross_entropy


def example() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 3, 6, 8, generator=generator, requires_grad=True)
    masks = torch.randint(0, 3, (4, 6, 8), generator=generator).to(torch.uint8)
    masks[0, :3] = 255
    masks[3] = 255
    return logits, masks


def test_cross_entropy_is_that_of_the_pixels_that_count() -> None:
    logits, masks = example()
    counts = masks != 255
    alone = F.cross_entropy(logits.movedim(1, 3)[counts], masks[counts].long())
    assert torch.allclose(pixel_cross_entropy(logits, masks), alone)


def test_dice_equals_the_formula() -> None:
    logits, masks = example()
    shares = logits.detach().softmax(1)
    total, weights = 0.0, 0
    for picture in range(4):
        counts = masks[picture] != 255
        weight = int(counts.sum())
        scores = []
        for place in range(3):
            truth = (masks[picture] == place)[counts].float()
            mine = shares[picture, place][counts]
            if truth.sum():
                scores.append(float(1 - 2 * (mine * truth).sum() / (mine.sum() + truth.sum())))
        total += weight * sum(scores) / max(1, len(scores))
        weights += weight
    assert float(dice_loss(logits, masks).detach()) == pytest.approx(total / weights, rel=1e-5)


@pytest.mark.parametrize("loss", [pixel_cross_entropy, dice_loss])
def test_micro_batches_weighed_by_their_pixels_add_up(loss: object) -> None:
    logits, masks = example()
    whole = loss(logits, masks) * counted_pixels(masks)  # type: ignore[operator]
    parts = [
        loss(logits[i : i + 2], masks[i : i + 2]) * counted_pixels(masks[i : i + 2])  # type: ignore[operator]
        for i in (0, 2)
    ]
    assert torch.allclose(sum(parts), whole, rtol=1e-5)


@pytest.mark.parametrize("loss", [pixel_cross_entropy, dice_loss])
def test_a_batch_of_which_nothing_counts_teaches_nothing(loss: object) -> None:
    logits, masks = example()
    value = loss(logits, torch.full_like(masks, 255))  # type: ignore[operator]
    value.backward()
    assert float(value.detach()) == 0
    assert logits.grad is not None and float(logits.grad.abs().sum()) == 0


def test_what_does_not_count_gets_no_gradient() -> None:
    logits, masks = example()
    (pixel_cross_entropy(logits, masks) + dice_loss(logits, masks)).backward()
    assert logits.grad is not None
    moved = logits.grad.abs().sum(1) > 0
    assert torch.equal(moved, masks != 255)
