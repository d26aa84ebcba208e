"""From a folder with masks to weights that segment, by the shell and by code."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from msgspec.structs import replace
from PIL import Image
from safetensors.torch import load_file

import zoo
from zoo.registry.registry import default_registry
from zoo.tasks.segmentation.network import Segmenter
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights, write_weights
from zoo.weights.inputs import Preprocessing

pytestmark = pytest.mark.skipif(
    "resnet18" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a backbone: pip install -e plugins/cnn",
)
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SETTINGS = {"epochs": 3, "minimum_steps": 0, "batch_size": 4, "width": 8, "learning_rate": 0.01}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Return random weights of a narrow ResNet that took pictures of another size."""
    arguments = {"widths": [8, 8, 8, 8], "num_classes": 5}
    torch.manual_seed(0)
    preprocessing = Preprocessing(image_size=(32, 32), channels=3, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
    save_weights(
        tmp_path / "weights",
        zoo.create("resnet18", **arguments),
        model_name="resnet18",
        arguments=arguments,
        inputs=preprocessing,
    )
    return tmp_path / "weights"


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """Return pictures of bright and dark halves, which lie left or right, or on top or below, with their masks."""
    random = np.random.default_rng(0)
    for split, count in (("train", 16), ("test", 4)):
        for name in ("images", "masks"):
            (tmp_path / "shapes" / split / name).mkdir(parents=True)
        for place in range(count):
            mask = np.zeros((32, 48), np.uint8)
            cut = int(random.integers(8, 24))
            mask[:cut] = 1
            picture = (mask[..., None] * 140 + random.integers(0, 100, (32, 48, 3))).astype(np.uint8)
            Image.fromarray(picture).save(tmp_path / "shapes" / split / "images" / f"{place}.png")
            Image.fromarray(mask).save(tmp_path / "shapes" / split / "masks" / f"{place}.png")
    (tmp_path / "shapes" / "classes.txt").write_text("dark\nbright\n")
    return tmp_path / "shapes"


def test_finetuned_weights_segment_and_load_again(
    weights: Path, shapes: Path, tmp_path: Path, zoo_command: Callable[..., "subprocess.CompletedProcess[str]"]
) -> None:
    result = zoo.finetune(weights, task="image-segmentation", data=str(shapes), out=tmp_path / "run", settings=SETTINGS)
    assert result.scores["miou"] > 0.5
    assert {path.name for path in result.pictures} == {"curves.png", "predictions.png", "classes.png"}
    block = read_config(result.weights)
    assert block.head == {"width": 8, "finest": 4, "dropout": 0.1}
    assert block.labels == ("dark", "bright")
    assert block.preprocessing is not None and block.preprocessing.image_size == (32, 48)
    assert block.preprocessing.mean == (0.5, 0.5, 0.5), "what the weights took stays"
    card = (result.weights / "README.md").read_text()
    assert "- miou" in card and "- iou/dark" not in card and "| iou/dark |" in card
    model = zoo.load(result.weights)
    assert isinstance(model, Segmenter) and model(torch.rand(1, 3, 32, 48)).shape == (1, 2, 32, 48)
    assert zoo.evaluate(result.weights, data=str(shapes)) == pytest.approx(result.scores)
    path = shapes / "test" / "images" / "0.png"
    (found,) = model.predict(path)
    truth = np.asarray(Image.open(shapes / "test" / "masks" / "0.png"))
    assert found["mask"].shape == (32, 48) and (found["mask"] == truth).mean() > 0.6
    said = zoo_command("predict", str(result.weights), str(path), "--out", str(tmp_path / "drawn"))
    assert said.returncode == 0 and "dark" in said.stdout, said.stderr
    drawn = Image.open(tmp_path / "drawn" / "0.mask.png")
    assert drawn.mode == "P" and np.array_equal(np.asarray(drawn), found["mask"])
    on = zoo.finetune(
        result.weights,
        task="image-segmentation",
        data=str(shapes),
        out=tmp_path / "on",
        settings={**SETTINGS, "epochs": 1, "learning_rate": 1e-6, "warmup": 0.0},
    )
    assert on.scores["miou"] > 0.9 * result.scores["miou"], "weights for the same classes go on with their head"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"finest": 3}, "network for image-segmentation that cannot be built: .*powers of two"),
        ({"finest": 0}, "limit|cannot be made"),
        ({"dropout": 2.0}, "cannot be built: dropout probability"),
        ({"width": 10**6}, "beyond its limit"),
        ({"depth": 3}, "unknown argument 'depth'"),
    ],
)
def test_014_a_head_that_cannot_be(weights: Path, tmp_path: Path, changes: dict[str, object], match: str) -> None:
    network = Segmenter(zoo.load(weights, num_classes=0), 2, width=8)
    values = {"width": 8, "finest": 4, "dropout": 0.1}
    block = replace(read_config(weights), task="image-segmentation", labels=("a", "b"), head=values)
    block.arguments["num_classes"] = 0
    (tmp_path / "segmenter").mkdir()
    write_weights(tmp_path / "segmenter", network, block)
    assert isinstance(zoo.load(tmp_path / "segmenter"), Segmenter)
    path = tmp_path / "segmenter" / "config.json"
    config = json.loads(path.read_text())
    config["zoo"]["head"] = {**values, **changes}
    path.write_text(json.dumps(config))
    with pytest.raises(zoo.IntegrityError, match=match):
        zoo.load(tmp_path / "segmenter")


def test_two_processes_learn_what_one_does(weights: Path, shapes: Path, tmp_path: Path) -> None:
    changes = [f"--set={name}={value}" for name, value in {**SETTINGS, "epochs": 1, "dropout": 0.0}.items()]
    command = [sys.executable, "-m", "zoo", "finetune", str(weights), "--task", "image-segmentation"]
    command += ["--data", str(shapes), *changes]
    runs = {}
    for name, more in (("one", []), ("two", ["--processes", "2"])):
        run = subprocess.run(
            [*command, "--out", str(tmp_path / name), *more],
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
            timeout=240,
        )
        assert run.returncode == 0, run.stderr
        runs[name] = load_file(tmp_path / name / "weights" / "model.safetensors")
        lines = [json.loads(line) for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        assert any(line.get("event") == "test" and 0 <= line["miou"] <= 1 for line in lines)
    learnt = [key for key in runs["one"] if runs["one"][key].is_floating_point() and "running" not in key]
    # Batch norm sees the pictures of its own process alone, so that the two differ by more than the order of sums
    assert max(float((runs["one"][key] - runs["two"][key]).abs().max()) for key in learnt) < 0.1


def test_scores_are_of_the_sizes_of_the_files_and_those_of_predictions(
    weights: Path, shapes: Path, tmp_path: Path
) -> None:
    """What scores say is counted pixel by pixel from the masks that `predict` gives for the files."""
    folder, sizes = shapes / "test", [(32, 48), (64, 40), (31, 77), (90, 120)]
    random = np.random.default_rng(1)
    for place, (height, width) in enumerate(sizes):
        mask = np.zeros((height, width), np.uint8)
        mask[: height // 3, 1::2] = 1
        mask[-1] = 255
        Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8)).save(folder / "images" / f"{place}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{place}.png")
    run = zoo.finetune(weights, task="image-segmentation", data=str(shapes), out=tmp_path / "run", settings=SETTINGS)
    paths = [folder / "images" / f"{place}.png" for place in range(len(sizes))]
    counts = np.zeros((2, 2), np.int64)
    for path, found in zip(paths, zoo.load(run.folder).predict(paths), strict=True):
        mask = np.asarray(Image.open(folder / "masks" / path.name))
        assert found["mask"].shape == mask.shape
        counted = mask != 255
        np.add.at(counts, (mask[counted], found["mask"][counted]), 1)
    union = counts.sum(0) + counts.sum(1) - counts.diagonal()
    expected = {"miou": (counts.diagonal() / union).mean(), "pixel_accuracy": counts.trace() / counts.sum()}
    assert {name: run.scores[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert zoo.evaluate(run.folder, data=str(shapes))["miou"] == pytest.approx(expected["miou"], abs=1e-6)
    assert (run.folder / "pictures" / "predictions.png").is_file()
