"""Pictures and masks move together, each sample by its own draws."""

import pytest
import torch

import zoo
from zoo.data.augmentation.masks import random_flip_together, random_scale_crop


def together(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures that show their own masks: smooth, in three classes from left to right and top to bottom."""
    rows, columns = torch.arange(24)[:, None].expand(24, 32), torch.arange(32).expand(24, 32)
    masks = (rows // 8 * 4 + columns // 8).to(torch.uint8).expand(count, -1, -1).contiguous()
    return masks[:, None].float() / 20 + 0.1, masks


def draws(*samples: int) -> zoo.Draws:
    return zoo.Draws(3, 1, torch.tensor(samples))


def test_masks_follow_their_pictures() -> None:
    images, masks = together()
    moved, moved_masks = random_scale_crop(images, masks, draws(0, 1, 2, 3, 4, 5))
    moved, moved_masks = random_flip_together(moved, moved_masks, draws(0, 1, 2, 3, 4, 5))
    assert not torch.equal(moved_masks, masks)
    counts = moved_masks != 255
    read = ((moved[:, 0] - 0.1) * 20).round()
    alike = (read == moved_masks)[counts].float().mean()
    assert alike > 0.8, "away from edges, where a picture blends, it shows what its mask says"
    assert (moved[:, 0][~counts] < 0.1).float().mean() > 0.9, "what comes in from outside is black and does not count"


def test_scales_reach_from_low_to_high() -> None:
    images, masks = together(200)
    _, moved = random_scale_crop(images, masks, zoo.Draws(0, 0, torch.arange(200)), scale=(0.5, 2.0))
    outside = (moved == 255).float().mean((1, 2))
    assert 0.7 < float(outside.max()) <= 0.75 + 0.03, "at a scale of a half three quarters are outside"
    assert 0.35 < float((outside == 0).float().mean()) < 0.65, "half of the pictures are scaled up"


def test_a_scale_of_one_changes_nothing() -> None:
    images, masks = together()
    moved, moved_masks = random_scale_crop(images, masks, draws(*range(6)), scale=(1.0, 1.0))
    assert torch.allclose(moved, images, atol=1e-4)
    assert torch.equal(moved_masks, masks)


def test_every_value_survives() -> None:
    masks = torch.arange(256, dtype=torch.uint8).view(1, 16, 16)
    _, moved = random_scale_crop(torch.rand(1, 3, 16, 16), masks, draws(0), scale=(1.0, 1.0))
    assert torch.equal(moved, masks)


@pytest.mark.parametrize("function", [random_scale_crop, random_flip_together])
def test_a_sample_does_not_depend_on_its_batch(function: object) -> None:
    images, masks = together()
    images = images + torch.arange(6)[:, None, None, None] / 100
    whole = function(images, masks, draws(0, 1, 2, 3, 4, 5))  # type: ignore[operator]
    alone = function(images[4:5], masks[4:5], draws(4))  # type: ignore[operator]
    assert all(torch.equal(a[4:5], b) for a, b in zip(whole, alone, strict=True))
    assert whole[1].dtype == torch.uint8
