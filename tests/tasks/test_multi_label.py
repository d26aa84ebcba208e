"""Classification where a picture may show several classes at once, or none."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.data.images.batches import TensorBatches
from zoo.registry.registry import default_registry
from zoo.tasks.image_classification import ImageClassification
from zoo.tasks.multi_label import MultiLabelClassifier, average_precision, multi_label_scores
from zoo.tasks.settings import ImageClassificationSettings
from zoo.testing import RecipeTests
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights
from zoo.weights.inputs import Preprocessing

needs_backbone = pytest.mark.skipif(
    "conv_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a backbone: pip install -e plugins/autoencoder",
)
SMALL: dict[str, Any] = {"image_size": 12, "widths": [4, 8], "code_size": 6}
CLASSES = ("left", "right", "top")
INPUTS = Preprocessing(image_size=(12, 12), channels=1)


def batch() -> dict[str, torch.Tensor]:
    """Return pictures with bright parts, whose labels say where."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 2, (16, 3), generator=generator).to(torch.uint8)
    images = torch.rand(16, 1, 12, 12, generator=generator) / 4
    images[labels[:, 0] == 1, :, 4:, :5] += 0.7
    images[labels[:, 1] == 1, :, 4:, 7:] += 0.7
    images[labels[:, 2] == 1, :, :3] += 0.7
    return {"images": images, "labels": labels}


@needs_backbone
class TestSeveralLabels(RecipeTests):
    name = "image_classification"
    model = "conv_autoencoder"
    classes = CLASSES
    steps = 12

    def arguments(self) -> dict[str, Any]:
        return SMALL

    def settings(self) -> dict[str, Any]:
        return {"augmentation": "none", "label_smoothing": 0.0}

    def batch(self) -> dict[str, torch.Tensor]:
        return batch()


@needs_backbone
class TestMixedSeveralLabels(TestSeveralLabels):
    steps = 20

    def settings(self) -> dict[str, Any]:
        return {"augmentation": "crop_flip", "mixing": "mixup_cutmix"}


# ------------------------------------------------------------------------------------------------ scores


def by_hand(logits: list[float], labels: list[int]) -> float:
    """Return the average precision by its definition: over all thresholds, recall gained times precision there."""
    total, recall = 0.0, 0.0
    for threshold in sorted(set(logits), reverse=True):
        found = [label for logit, label in zip(logits, labels, strict=True) if logit >= threshold]
        total += (sum(found) / sum(labels) - recall) * sum(found) / len(found)
        recall = sum(found) / sum(labels)
    return total


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_equals_its_definition(ties: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(40, 4, generator=generator)
    logits = logits.round() if ties else logits
    labels = torch.randint(0, 2, (40, 4), generator=generator)
    expected = [by_hand(logits[:, place].tolist(), labels[:, place].tolist()) for place in range(4)]
    assert average_precision(logits, labels).tolist() == pytest.approx(expected)


def test_scores_of_a_small_example() -> None:
    labels = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]])
    logits = torch.tensor([[2.0, -1, -3], [1.0, -2, -3], [-1.0, -3, -3], [-2.0, 3, 1]])
    scores = multi_label_scores(logits, labels, CLASSES)
    assert scores == pytest.approx(
        {
            "accuracy": 100 * 10 / 12,
            "exact": 50.0,
            "map": 100 * (1 + (1 + 2 / 3) / 2) / 2,
            "f1_micro": 100 * 2 * 3 / (4 + 4),
            "f1_macro": 100 * (1 + 2 / 3 + 0) / 3,
            "ap/left": 100.0,
            "ap/right": 100 * (1 + 2 / 3) / 2,
        }
    )


def test_f1_is_that_of_scikit_learn_where_a_class_is_only_seen_and_another_never() -> None:
    labels = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]])
    found = torch.tensor([[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 1, 0]])
    scores = multi_label_scores(found - 0.5, labels, ("a", "b", "c", "d"))
    # f1_score(labels, found, average="macro", zero_division=0) and "micro" of scikit-learn 1.9.1
    assert scores["f1_macro"] == pytest.approx(41.666666666666663)
    assert scores["f1_micro"] == pytest.approx(75.0)


def test_no_class_occurs() -> None:
    scores = multi_label_scores(torch.full((3, 2), -1.0), torch.zeros(3, 2), ("a", "b"))
    assert scores == {"accuracy": 100.0, "exact": 100.0, "map": 0.0, "f1_micro": 0.0, "f1_macro": 0.0}


# ------------------------------------------------------------------------------------------------ from data to answers


@needs_backbone
def test_exported_by_what_the_labels_were() -> None:
    several = ImageClassification(
        ImageClassificationSettings(), zoo.create("conv_autoencoder", **SMALL), CLASSES, INPUTS
    )
    several.evaluate([batch()])
    exported = several.export()
    assert isinstance(exported, MultiLabelClassifier) and exported.num_classes == 3
    again = ImageClassification(ImageClassificationSettings(), exported, CLASSES, INPUTS)
    assert again.model is exported.backbone and isinstance(again.export(), MultiLabelClassifier)
    one = ImageClassification(ImageClassificationSettings(), zoo.create("conv_autoencoder", **SMALL), CLASSES, INPUTS)
    one.evaluate([{**batch(), "labels": torch.arange(16) % 3}])
    assert not isinstance(one.export(), MultiLabelClassifier)


@needs_backbone
def test_from_a_table_to_predictions(tmp_path: Path, zoo_command: Callable[..., Any]) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    lines = ["file,labels"]
    whole = batch()
    for copy in range(6):
        for place, (image, row) in enumerate(zip(whole["images"], whole["labels"], strict=True)):
            pixels = (image[0] * 255 + copy).clamp(0, 255).byte().numpy()
            Image.fromarray(pixels).save(folder / f"{copy}-{place}.png")
            lines.append(f"{copy}-{place}.png,{'|'.join(CLASSES[i] for i in row.nonzero()[:, 0].tolist())}")
    (folder / "labels.csv").write_text("\n".join(lines))
    save_weights(
        tmp_path / "weights",
        zoo.create("conv_autoencoder", **SMALL),
        model_name="conv_autoencoder",
        arguments=SMALL,
        inputs=INPUTS,
    )
    settings = {"epochs": 30, "minimum_steps": 0, "batch_size": 16, "augmentation": "none", "learning_rate": 0.01}
    result = zoo.finetune(
        tmp_path / "weights", task="image-classification", data=str(folder), out=tmp_path / "run", settings=settings
    )
    assert result.scores["map"] > 90 and result.scores["accuracy"] > 80
    assert {path.name for path in result.pictures} == {"curves.png", "classes.png", "examples.png"}
    block = read_config(result.weights)
    assert block.head == {} and block.labels == CLASSES
    assert zoo.evaluate(result.weights, data=str(folder)) == pytest.approx(result.scores)
    model = zoo.load(result.weights)
    place = int(whole["labels"].sum(1).argmax())
    (found,) = model.predict(folder / f"0-{place}.png")
    true = {CLASSES[i] for i in whole["labels"][place].nonzero()[:, 0].tolist()}
    assert {item["label"] for item in found["predictions"]} == true
    assert all(item["score"] >= 0.5 for item in found["predictions"])
    picture, out = str(folder / f"0-{place}.png"), str(tmp_path / "drawn")
    said = zoo_command("predict", str(result.weights), picture, "--out", out)
    assert said.returncode == 0 and all(name in said.stdout for name in true), said.stderr


@needs_backbone
def test_a_picture_of_no_class_is_told_so(tmp_path: Path) -> None:
    from zoo.tasks.classification_predictor import ClassificationPredictor

    class Never(torch.nn.Module):
        num_classes = 3

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.full((len(images), 3), -4.0)

    predictor = ClassificationPredictor(MultiLabelClassifier(Never(), 3), CLASSES, INPUTS)
    (result,) = predictor(torch.rand(1, 1, 12, 12), [(12, 12)])
    assert result == {"predictions": []}
    assert predictor.row(result) == ["none", "", ""]
    assert predictor.draw(Image.new("RGB", (40, 40)), result).height > 40


def test_batches_carry_labels_of_every_class() -> None:
    labels = batch()["labels"].numpy()
    images = np.zeros((16, 1, 4, 4), np.uint8)
    batches = TensorBatches(
        images, {"labels": labels}, batch_size=4, seed=0, shuffle=False, drop_last=False, device=torch.device("cpu")
    )
    assert torch.equal(torch.cat([item["labels"] for item in batches.epoch(0)]), torch.from_numpy(labels))
