"""What weights say of every sample of a split, in its order."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.errors import UsageError


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Path]:
    random = np.random.default_rng(0)
    for split, count in (("train", 7), ("test", 5)):
        for name in ("cat", "dog"):
            (tmp_path / "data" / split / name).mkdir(parents=True)
            for place in range(count):
                pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / split / name / f"{place}.png")
    model = zoo.create("resnet20", depth=1, widths=[4, 8, 16], num_classes=2)
    inputs = zoo.Preprocessing(image_size=(8, 8), channels=3)
    zoo.save(model, tmp_path / "w", task="image-classification", labels=("cat", "dog"), inputs=inputs)
    return tmp_path / "w", tmp_path / "data"


def test_logits_and_labels_are_in_the_order_of_the_split(run: tuple[Path, Path]) -> None:
    weights, data = run
    found = zoo.answers(weights, data=str(data), splits=("train", "test"))
    dataset = zoo.dataset_for(weights, data=str(data))
    model = zoo.load(weights)
    for name, samples in (("train", 14), ("test", 10)):
        answers, split = found[name], dataset.splits[name]
        assert answers.logits.shape == (samples, 2) and answers.classes == ("cat", "dog")
        assert answers.labels.tolist() == split.labels.tolist()  # type: ignore[attr-defined]
        images = torch.from_numpy(np.array(split.images)).float() / 255  # type: ignore[attr-defined]
        with torch.no_grad():
            assert torch.allclose(answers.logits, model(images), atol=1e-5)
        origins = answers.dataset.splits[name].origins
        assert [Path(origin["file"]).parent.name for origin in origins] == ["cat"] * (samples // 2) + ["dog"] * (
            samples // 2
        )


def test_a_split_that_there_is_not_is_named(run: tuple[Path, Path]) -> None:
    weights, data = run
    with pytest.raises(UsageError, match="has no validation split; it has test, train"):
        zoo.answers(weights, data=str(data), splits=("validation",))
