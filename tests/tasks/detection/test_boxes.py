"""Overlaps, and suppression against the plain algorithm."""

import pytest
import torch

from zoo.tasks.detection.boxes import area, generalised_overlaps, overlaps, suppress


def boxes(*rows: tuple[float, ...]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def test_overlaps_of_the_same_of_halves_and_of_none() -> None:
    found = overlaps(boxes((0, 0, 4, 4)), boxes((0, 0, 4, 4), (0, 0, 4, 2), (2, 0, 6, 4), (9, 9, 10, 10)))
    assert found[0].tolist() == pytest.approx([1, 0.5, 1 / 3, 0])


def test_a_box_without_area_overlaps_nothing() -> None:
    assert area(boxes((3, 3, 1, 5))).item() == 0
    assert overlaps(boxes((1, 1, 1, 5)), boxes((0, 0, 9, 9))).item() == 0


def test_generalised_overlaps_tell_how_far_apart() -> None:
    here = boxes((0, 0, 2, 2))
    assert generalised_overlaps(here, here).item() == pytest.approx(1)
    # Frames around both: 2x4 and 2x12, of which 8 - 8 and 24 - 8 are empty
    assert generalised_overlaps(here, boxes((0, 2, 2, 4))).item() == pytest.approx(0)
    assert generalised_overlaps(here, boxes((0, 10, 2, 12))).item() == pytest.approx(-16 / 24)


def greedy(corners: torch.Tensor, classes: torch.Tensor, valid: torch.Tensor, threshold: float) -> list[bool]:
    """Suppress one box after the other, as textbooks do."""
    stays: list[bool] = []
    for place in range(len(corners)):
        better = [other for other in range(place) if stays[other] and classes[other] == classes[place]]
        rivals = [overlaps(corners[other][None], corners[place][None]).item() > threshold for other in better]
        stays.append(bool(valid[place]) and not any(rivals))
    return stays


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.9])
def test_suppression_is_that_of_the_greedy_algorithm(threshold: float) -> None:
    generator = torch.Generator().manual_seed(0)
    low = torch.rand(3, 60, 2, generator=generator) * 20
    corners = torch.cat([low, low + 1 + torch.rand(3, 60, 2, generator=generator) * 20], 2)
    classes = torch.randint(0, 3, (3, 60), generator=generator)
    valid = torch.rand(3, 60, generator=generator) < 0.9
    found = suppress(corners, classes, valid, threshold=threshold)
    for place in range(3):
        assert found[place].tolist() == greedy(corners[place], classes[place], valid[place], threshold)


def test_a_chain_of_overlaps_keeps_every_other_box() -> None:
    corners = torch.stack([torch.tensor([place * 4.0, 0, place * 4.0 + 10, 10]) for place in range(9)])[None]
    everything = torch.ones(1, 9, dtype=torch.bool)
    found = suppress(corners, torch.zeros(1, 9, dtype=torch.long), everything, threshold=0.4)
    assert found[0].tolist() == [place % 2 == 0 for place in range(9)]
