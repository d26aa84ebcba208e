"""Boxes move with their pictures."""

import pytest
import torch

import zoo
from zoo.tasks.detection.augmentation import augment_boxed

HEIGHT, WIDTH = 48, 64


def pictures(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return black pictures with a white rectangle each, its box, and a row of padding."""
    images, boxes = torch.zeros(count, 1, HEIGHT, WIDTH), torch.zeros(count, 2, 6)
    boxes[:, 1, 4] = -1
    for place in range(count):
        left, top = 10 + place % 20, 8 + place % 12
        images[place, :, top : top + 16, left : left + 24] = 1
        boxes[place, 0, :4] = torch.tensor([left, top, left + 24, top + 16])
    return images, boxes


def draws(count: int) -> zoo.Draws:
    return zoo.Draws(0, 0, torch.arange(count))


@pytest.mark.parametrize(("flips", "zoom"), [("horizontal", 1.0), ("both", 1.0), ("none", 1.6), ("both", 1.6)], ids=str)
def test_the_box_stays_around_what_it_was_around(flips: str, zoom: float) -> None:
    images, boxes = augment_boxed(*pictures(40), draws(40), flips=flips, zoom=zoom, colour=0.0)  # type: ignore[arg-type]
    moved = 0
    for image, box in zip(images, boxes[:, 0], strict=True):
        rows, columns = torch.nonzero(image[0] > 0.5, as_tuple=True)
        seen = torch.stack([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]).float()
        assert (seen - box[:4]).abs().max() <= 1.01, f"{seen} is seen where the box says {box}"
        moved += 1
    assert moved == 40
    assert boxes[:, 1, 4].eq(-1).all(), "padding stays padding"
    assert not torch.equal(boxes, pictures(40)[1])


def test_half_of_the_pictures_are_mirrored() -> None:
    _, before = pictures(400)
    _, boxes = augment_boxed(*pictures(400), draws(400), flips="horizontal", zoom=1.0, colour=0.0)
    assert 150 < (boxes[:, 0, 0] != before[:, 0, 0]).sum() < 250


def test_a_sample_is_moved_alike_in_every_batch() -> None:
    images, boxes = pictures(6)
    how = {"flips": "both", "zoom": 1.5, "colour": 0.3}
    together = augment_boxed(images, boxes, draws(6), **how)  # type: ignore[arg-type]
    alone = augment_boxed(images[4:5], boxes[4:5], zoo.Draws(0, 0, torch.tensor([4])), **how)  # type: ignore[arg-type]
    assert torch.equal(together[0][4:5], alone[0]) and torch.equal(together[1][4:5], alone[1])


def test_boxes_that_leave_the_frame_are_cut_then_not_scored_then_gone() -> None:
    count = 300
    images = torch.zeros(count, 1, 32, 32)
    boxes = torch.zeros(count, 2, 6)
    boxes[:, 0, :4] = torch.tensor([0.0, 0, 6, 6])
    boxes[:, 1, 4] = -1
    _, found = augment_boxed(images, boxes, draws(count), flips="none", zoom=3.0, colour=0.0)
    corners, classes, unscored = found[:, 0, :4], found[:, 0, 4], found[:, 0, 5]
    assert corners.min() >= 0 and corners.max() <= 32
    gone = classes == -1
    assert gone.any() and ((unscored > 0) & ~gone).any() and ((unscored == 0) & ~gone).any()
    assert ((corners[~gone, 2:] - corners[~gone, :2]) > 0).all()


def test_nothing_asked_for_changes_nothing() -> None:
    images, boxes = pictures(3)
    same = augment_boxed(images, boxes, draws(3), flips="none", zoom=1.0, colour=0.0)
    assert torch.equal(same[0], images) and torch.equal(same[1], boxes)
