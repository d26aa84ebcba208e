"""From all places to the boxes that are found."""

import torch

from zoo.tasks.detection.decode import find

LIMITS = {"score_threshold": 0.1, "nms_threshold": 0.5, "most_boxes": 3}


def logits(*scores: list[float]) -> torch.Tensor:
    return torch.logit(torch.tensor([scores]).clamp(1e-6, 1 - 1e-6))


def test_the_best_of_overlapping_boxes_of_a_class_stays_and_other_classes_do() -> None:
    boxes = torch.tensor([[[0.0, 0, 10, 10], [1, 0, 10, 10], [0, 0, 10, 9]]])
    found = find(logits([0.8, 0.0], [0.9, 0.0], [0.0, 0.7]), boxes, (20, 20), **LIMITS)
    assert found.classes.tolist() == [[0, 1, -1]]
    assert found.boxes[0, 0].tolist() == [1, 0, 10, 10]
    assert torch.allclose(found.scores, torch.tensor([[0.9, 0.7, 0.0]]), atol=1e-5)


def test_boxes_below_the_score_are_left_out_and_those_beyond_the_frame_are_cut() -> None:
    boxes = torch.tensor([[[-5.0, -5, 50, 12], [0, 0, 3, 3]]])
    found = find(logits([0.5], [0.09]), boxes, (10, 20), **LIMITS)
    assert found.classes.tolist() == [[0, -1]]
    assert found.boxes[0, 0].tolist() == [0, 0, 20, 10]


def test_no_more_than_the_most_boxes() -> None:
    boxes = torch.arange(5.0)[None, :, None] * 20 + torch.tensor([0.0, 0, 10, 10])
    found = find(logits(*[[0.2 + place / 10] for place in range(5)]), boxes, (100, 100), **LIMITS)
    assert found.boxes[0, :, 0].tolist() == [80, 60, 40]
