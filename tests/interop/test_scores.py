"""Scores of images against scikit-learn, torchmetrics, pycocotools and scipy, on random data: `make test-interop`."""

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from zoo.tasks.class_scores import confusion_counts, scores_by_class
from zoo.tasks.detection.scores import AveragePrecision
from zoo.tasks.image_classification import ImageClassification
from zoo.tasks.multi_label import multi_label_scores, seen
from zoo.tasks.segmentation.scores import confusion, likeliest, segmentation_scores

metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn: make test-interop")
torchmetrics = pytest.importorskip("torchmetrics", reason="needs torchmetrics: make test-interop")

CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox")


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("seed", range(5))
def test_of_one_class_each(seed: int) -> None:
    """The last class never occurs, the first is never predicted."""
    logits = torch.randn(300, 6, generator=random(seed))
    logits[:, 0] -= 20
    labels = torch.randint(0, 5, (300,), generator=random(seed + 100))
    recipe: Any = object.__new__(ImageClassification)
    recipe.classes = CLASSES
    found, said = ImageClassification.scores(recipe, logits, labels), logits.argmax(1)
    assert found["accuracy"] == pytest.approx(100 * metrics.accuracy_score(labels, said), abs=1e-4)
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        balanced = metrics.balanced_accuracy_score(labels, said)
    assert found["recall"] == pytest.approx(100 * balanced, abs=1e-4)
    expected = metrics.log_loss(labels, logits.softmax(1), labels=list(range(6)))
    assert found["loss"] == pytest.approx(expected, abs=1e-5)
    counted = torch.from_numpy(metrics.confusion_matrix(labels, said, labels=list(range(6))))
    assert torch.equal(confusion_counts(logits, labels, 6), counted)
    theirs = metrics.precision_recall_fscore_support(labels, said, labels=list(range(6)), zero_division=0)
    for place, (name, row) in enumerate(scores_by_class(logits, labels, CLASSES).items()):
        expected = [100 * part[place] for part in theirs[:3]]
        assert [row[key] for key in ("precision", "recall", "f1")] == pytest.approx(expected, abs=1e-4), name


@pytest.mark.parametrize("seed", range(5))
def test_of_several_classes_each(seed: int) -> None:
    logits = torch.randn(200, 6, generator=random(seed)).mul(4).round().div(4)  # with equals
    labels = (torch.rand(200, 6, generator=random(seed + 100)) < torch.tensor([0.5, 0.3, 0.2, 0.1, 0.05, 0.0])).long()
    found, said = multi_label_scores(logits, labels, CLASSES), seen(logits).long()
    occurs = [place for place in range(6) if labels[:, place].any()]
    expected = {
        "accuracy": 1 - metrics.hamming_loss(labels, said),
        "exact": metrics.accuracy_score(labels, said),
        "f1_micro": metrics.f1_score(labels, said, average="micro", zero_division=0),
        "f1_macro": metrics.f1_score(labels, said, average="macro", zero_division=0),
        "map": metrics.average_precision_score(labels[:, occurs], logits[:, occurs], average="macro"),
    }
    assert {name: found[name] / 100 for name in expected} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_of_masks_of_several_sizes(seed: int) -> None:
    """Logits are scaled to the size of each mask, as mmsegmentation does; a class is predicted that never occurs."""
    theirs = torchmetrics.JaccardIndex("multiclass", num_classes=6, average="macro", ignore_index=255)
    counts = torch.zeros(6, 6, dtype=torch.int64)
    for place, size in enumerate([(31, 40), (64, 64), (90, 33)]):
        logits = torch.randn(1, 6, 16, 16, generator=random(seed + place))
        masks = torch.randint(0, 5, (1, *size), generator=random(seed + 50 + place))
        masks = torch.where(torch.rand(1, *size, generator=random(seed + 70)) < 0.1, 255, masks)
        theirs.update(F.interpolate(logits, size, mode="bilinear", align_corners=False).argmax(1), masks)
        counts += confusion(likeliest(logits, size), masks.byte(), 6)
    assert segmentation_scores(counts, CLASSES)["miou"] == pytest.approx(float(theirs.compute()), abs=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_of_boxes_with_crowds(seed: int) -> None:
    drawn = np.random.default_rng(seed)
    ours = AveragePrecision(CLASSES, most_boxes=100)
    theirs = torchmetrics.detection.MeanAveragePrecision(
        box_format="xyxy",
        backend="pycocotools",
        iou_thresholds=np.linspace(0.5, 0.95, 10).tolist(),  # as COCOeval has them, and not in single precision
        rec_thresholds=np.linspace(0, 1, 101).tolist(),
    )
    for _ in range(8):
        corners = drawn.integers(0, 300, (12, 2))
        boxes = np.hstack([corners, corners + drawn.integers(20, 120, (12, 2))]).astype(np.float32)
        labels, crowd = drawn.integers(0, 5, (12, 1)), drawn.random((12, 1)) < 0.15
        moved = np.vstack([boxes, boxes[:6]]) + drawn.integers(-8, 9, (18, 4))
        said, scores = np.vstack([labels, drawn.integers(0, 6, (6, 1))]), drawn.random((18, 1))
        ours.add(
            np.hstack([moved, said, scores]).astype(np.float32),
            np.hstack([boxes, labels, crowd]).astype(np.float32),
            (480, 640),
        )
        areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        theirs.update(
            [
                {
                    "boxes": torch.from_numpy(moved.astype(np.float32)),
                    "scores": torch.from_numpy(scores[:, 0].astype(np.float32)),
                    "labels": torch.from_numpy(said[:, 0]),
                }
            ],
            [
                {
                    "boxes": torch.from_numpy(boxes),
                    "labels": torch.from_numpy(labels[:, 0]),
                    "iscrowd": torch.from_numpy(crowd[:, 0].astype(np.int64)),
                    "area": torch.from_numpy(areas),
                }
            ],
        )
    found, expected = ours.scores(), theirs.compute()
    for mine, other in (("ap", "map"), ("ap50", "map_50"), ("ap75", "map_75")):
        assert found[mine] == pytest.approx(float(expected[other]), abs=1e-6)


def test_psnr_is_that_of_the_mean_squared_error_of_all_pictures() -> None:
    autoencoding = pytest.importorskip("zoo_autoencoder.pretraining.autoencoding", reason="needs zoo-autoencoder")
    images, made = (torch.rand(20, 3, 16, 16, generator=random(seed)) for seed in (0, 1))

    class Model(torch.nn.Module):
        def reconstruct(self, images: torch.Tensor) -> torch.Tensor:
            return made

    model: Any = Model()
    found = autoencoding.scores(model, [(images, images)])
    expected = torchmetrics.image.PeakSignalNoiseRatio(data_range=1.0)(made, images)
    assert found["psnr"] == pytest.approx(float(expected), abs=1e-4)


def test_distances_of_sets_are_those_of_scipy_and_scikit_learn() -> None:
    scores = pytest.importorskip("zoo_gan.scores", reason="needs zoo-gan")
    linalg = pytest.importorskip("scipy.linalg")
    factors = torch.randn(2, 32, 32, generator=random(0), dtype=torch.float64) / 6
    real, made = (
        torch.randn(400, 32, generator=random(seed), dtype=torch.float64) @ factors[seed - 1] + 0.1 * seed
        for seed in (1, 2)
    )
    means, covariances = [rows.mean(0).numpy() for rows in (real, made)], [np.cov(rows.T) for rows in (real, made)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = ((means[0] - means[1]) ** 2).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert scores.frechet_distance(real, made) == pytest.approx(expected, rel=1e-6)
    kernels = [
        metrics.pairwise.polynomial_kernel(a, b, degree=3, coef0=1)
        for a, b in ((real, real), (made, made), (real, made))
    ]
    within = sum((kernel.sum() - np.trace(kernel)) / (400 * 399) for kernel in kernels[:2])
    assert scores.kernel_distance(real, made) == pytest.approx(within - 2 * kernels[2].mean(), rel=1e-9)
