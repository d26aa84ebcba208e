"""From all places to the boxes that are found."""

import torch

from zoo.tasks.detection.decode import find

LIMITS = {"score_threshold": 0.1, "nms_threshold": 0.5, "most_boxes": 3}


def logits(*scores: list[float]) -> torch.Tensor:
    return torch.logit(torch.tensor([scores]).clamp(1e-6, 1 - 1e-6))


def test_the_best_of_overlapping_boxes_of_a_class_stays_and_other_classes_do() -> None:
    boxes = torch.tensor([[[0.0, 0, 10, 10], [1, 0, 10, 10], [0, 0, 10, 9]]])
    found = find(logits([0.8, 0.0], [0.9, 0.0], [0.0, 0.7]), boxes, (10, 30), (10,), **LIMITS)
    assert found.classes.tolist() == [[0, 1, -1]]
    assert found.boxes[0, 0].tolist() == [1, 0, 10, 10]
    assert torch.allclose(found.scores, torch.tensor([[0.9, 0.7, 0.0]]), atol=1e-5)


def test_boxes_below_the_score_are_left_out_and_those_beyond_the_frame_are_cut() -> None:
    boxes = torch.tensor([[[-5.0, -5, 50, 12], [0, 0, 3, 3]]])
    found = find(logits([0.5], [0.09]), boxes, (10, 20), (10,), **LIMITS)
    assert found.classes.tolist() == [[0]]
    assert found.boxes[0, 0].tolist() == [0, 0, 20, 10]


def test_no_more_than_the_most_boxes() -> None:
    boxes = torch.arange(5.0)[None, :, None] * 20 + torch.tensor([0.0, 0, 10, 10])
    found = find(logits(*[[0.2 + place / 10] for place in range(5)]), boxes, (100, 100), (50, 100), **LIMITS)
    assert found.boxes[0, :, 0].tolist() == [80, 60, 40]


def test_the_best_of_each_level_are_candidates() -> None:
    """An ideal detector, with 13 places for each of 40 objects, finds all of them; 300 of all places hold 30."""
    height, width = 64, 320
    fine, coarse = (height // 4) * (width // 4), (height // 8) * (width // 8)
    answers = torch.full((1, fine + coarse, 1), -9.0)
    boxes = torch.zeros(1, fine + coarse, 4)
    for thing in range(40):
        corner = torch.tensor([thing % 20 * 16.0, thing // 20 * 32.0])
        places = torch.arange(13) + 13 * thing
        places = places if thing < 20 else places - 260 + fine  # half of them on each level
        answers[0, places, 0] = 5 - thing / 10
        boxes[0, places] = torch.cat([corner, corner + 12])
    found = find(answers, boxes, (height, width), (4, 8), score_threshold=0.05, nms_threshold=0.6, most_boxes=100)
    assert int((found.classes == 0).sum()) == 40


def test_no_more_than_a_thousand_of_a_level_are_candidates() -> None:
    size = (40, 40)
    corners = torch.stack(torch.meshgrid(torch.arange(40.0), torch.arange(40.0), indexing="ij"), 2).flatten(0, 1)
    boxes = torch.cat([corners, corners + 1], 1)
    boxes = torch.cat([boxes, torch.tensor([[0.0, 0, 40, 40]])])[None]
    answers = torch.linspace(3, 1, 1601)[None, :, None]
    found = find(answers, boxes, size, (1, 40), score_threshold=0.05, nms_threshold=0.6, most_boxes=2000)
    assert int((found.classes == 0).sum()) == 1001
    assert found.boxes[0, 1000].tolist() == [0, 0, 40, 40], "the worst of all, and the best of its level"
