"""Scores of a segmentation, against counting by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from zoo.tasks.segmentation import scores as module
from zoo.tasks.segmentation.scores import confusion, likeliest, segmentation_scores

CLASSES = ("sky", "road", "car", "boat")


def pixels() -> tuple[torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(0)
    masks = torch.from_numpy(random.choice([0, 1, 2, 255], (5, 7, 9), p=[0.4, 0.3, 0.2, 0.1]).astype(np.uint8))
    return torch.from_numpy(random.integers(0, 4, (5, 7, 9))), masks


def test_scores_equal_those_counted_pixel_by_pixel() -> None:
    predicted, masks = pixels()
    found = segmentation_scores(confusion(predicted, masks, 4), CLASSES)
    true, mine = masks[masks != 255].tolist(), predicted[masks != 255].tolist()
    pairs = list(zip(true, mine, strict=True))
    ious, recalls = {}, []
    for place, name in enumerate(CLASSES[:3]):
        both = sum(pair == (place, place) for pair in pairs)
        ious[f"iou/{name}"] = both / sum(place in pair for pair in pairs)
        recalls.append(both / true.count(place))
    ious["iou/boat"] = 0.0
    assert found == pytest.approx(
        {
            "miou": sum(ious.values()) / 4,
            "pixel_accuracy": sum(a == b for a, b in pairs) / len(pairs),
            "class_accuracy": sum(recalls) / 3,
            **ious,
        }
    )


def test_a_class_that_neither_occurs_nor_is_predicted_has_no_score() -> None:
    predicted, masks = pixels()
    assert "iou/boat" not in segmentation_scores(confusion(predicted.clamp(max=2), masks, 4), CLASSES)


def test_miou_is_that_of_torchmetrics_where_a_class_is_predicted_and_does_not_occur() -> None:
    masks = torch.tensor([[0, 0, 0, 1], [1, 1, 255, 255]], dtype=torch.uint8)
    predicted = torch.tensor([[0, 0, 3, 1], [1, 0, 2, 2]])
    scores = segmentation_scores(confusion(predicted, masks, 5), (*CLASSES, "tree"))
    # MulticlassJaccardIndex(5, average="macro", ignore_index=255) of torchmetrics 1.9.0
    assert scores["miou"] == pytest.approx(0.3888888888888889)
    assert {name: scores[name] for name in scores if "/" in name} == pytest.approx(
        {"iou/sky": 0.5, "iou/road": 2 / 3, "iou/boat": 0.0}
    )


def test_perfect_and_nothing() -> None:
    _, masks = pixels()
    perfect = segmentation_scores(confusion(masks.long().clamp(max=3), masks, 4), CLASSES)
    assert set(perfect.values()) == {1.0}
    none = segmentation_scores(confusion(masks.long(), torch.full_like(masks, 255), 4), CLASSES)
    assert none == {"miou": 0.0, "pixel_accuracy": 0.0, "class_accuracy": 0.0}


def test_counts_of_batches_add_up() -> None:
    predicted, masks = pixels()
    parts = sum(confusion(predicted[i : i + 2], masks[i : i + 2], 4) for i in range(0, 5, 2))
    assert torch.equal(torch.as_tensor(parts), confusion(predicted, masks, 4))
    assert int(confusion(predicted, masks, 4).sum()) == int((masks != 255).sum())


@pytest.mark.parametrize("at_once", [1, 7 * 11 * 2, 10**6])
def test_the_likeliest_class_is_the_same_however_many_are_scaled_at_once(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOGITS_AT_ONCE", at_once)
    logits = torch.randn(1, 9, 3, 5, generator=torch.Generator().manual_seed(0))
    logits[:, 7] = logits[:, 2]  # of equals the first
    expected = F.interpolate(logits, (7, 11), mode="bilinear").argmax(1)
    assert torch.equal(likeliest(logits, (7, 11)), expected)
