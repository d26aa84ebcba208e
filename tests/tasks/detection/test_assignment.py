"""Which places learn which box."""

import torch

from zoo.tasks.detection.assignment import Assignment, assign
from zoo.tasks.detection.network import locations

SIZE = (64, 64)
REDUCTIONS = (8, 16)
POINTS, SIZES = locations(SIZE, REDUCTIONS, torch.device("cpu"))


def predicted(batch: int) -> torch.Tensor:
    """Return what an untrained network says: a square of four reductions around each place."""
    half = 2 * SIZES[:, None]
    return torch.cat([POINTS - half, POINTS + half], 1).expand(batch, -1, -1)


def run(*pictures: list[tuple[float, ...]], classes: int = 2) -> Assignment:
    most = max(1, *(len(rows) for rows in pictures))
    padding = (0.0, 0.0, 0.0, 0.0, -1.0, 0.0)
    boxes = torch.tensor([[*rows, *[padding] * (most - len(rows))] for rows in pictures])
    scores = torch.full((len(pictures), len(POINTS), classes), 0.01)
    return assign(scores, predicted(len(pictures)), POINTS, SIZES, boxes)


def test_places_in_a_box_learn_its_class_and_its_sides() -> None:
    found = run([(8, 8, 56, 56, 1, 0)])
    learning = found.quality[0].sum(1) > 0
    assert 1 <= learning.sum() <= 13
    inside = ((POINTS > 8) & (POINTS < 56)).all(1)
    assert inside[learning].all()
    assert (found.quality[0, :, 0] == 0).all()
    assert (found.boxes[0][learning] == torch.tensor([8.0, 8, 56, 56])).all()
    assert found.counts.eq(1).all()


def test_the_best_place_is_asked_for_its_overlap() -> None:
    found = run([(8, 8, 56, 56, 1, 0)])
    from zoo.tasks.detection.boxes import overlaps

    best = overlaps(torch.tensor([[8.0, 8, 56, 56]]), predicted(1)[0])[0][found.quality[0].sum(1) > 0].max()
    assert torch.isclose(found.quality.max(), best)


def test_a_box_between_all_places_still_has_one() -> None:
    found = run([(0.5, 0.5, 2.5, 2.5, 0, 0)])
    assert (found.quality[0].sum(1) > 0).any()


def test_a_place_in_two_boxes_learns_the_one_it_fits() -> None:
    found = run([(0, 0, 64, 64, 0, 0), (16, 16, 48, 48, 1, 0)])
    assert not ((found.quality[0] > 0).sum(1) > 1).any()
    assert (found.quality[0] > 0).any(0).all(), "both boxes have places"


def test_what_is_not_scored_is_neither_learnt_nor_background() -> None:
    found = run([(0, 0, 32, 64, 0, 1)])
    assert found.quality.eq(0).all()
    left = (POINTS[:, 0] < 32)[None, :, None]
    assert (found.counts.bool() == ~left).all()


def test_pictures_without_boxes_are_background() -> None:
    found = run([], [(8, 8, 56, 56, 1, 0)])
    assert found.quality[0].eq(0).all() and found.counts[0].eq(1).all()
    assert found.quality[1].gt(0).any()


def test_a_picture_does_not_change_what_its_neighbours_learn() -> None:
    one, two = [(8.0, 8.0, 56.0, 56.0, 1.0, 0.0)], [(0.0, 0.0, 30.0, 30.0, 0.0, 0.0), (9.0, 9.0, 40.0, 60.0, 1.0, 0.0)]
    both, alone = run(one, two), run(two)
    assert torch.equal(both.quality[1], alone.quality[0])
    assert torch.equal(both.boxes[1][both.quality[1].sum(1) > 0], alone.boxes[0][alone.quality[0].sum(1) > 0])
