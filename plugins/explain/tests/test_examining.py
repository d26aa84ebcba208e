"""What `zoo examine` finds: calibration, weak slices, copies, wrong labels, and its page."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from huggingface_hub import HfApi
from PIL import Image
from zoo_explain.examine_command import command
from zoo_explain.examining.calibration import calibration, error, reliability, temperature
from zoo_explain.examining.label_errors import label_errors
from zoo_explain.examining.mending import save_calibrated
from zoo_explain.examining.slices import by_size, slices, wilson

import zoo


def test_a_temperature_mends_what_is_too_sure() -> None:
    random = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(4000, 5, generator=random)
    labels = torch.multinomial(logits.softmax(1), 1, generator=random)[:, 0]
    found = calibration(3 * logits, labels)
    assert found.temperature == pytest.approx(3, rel=0.06) and found.ece > 0.1 and found.ece_after < 0.02
    assert temperature(logits, labels) == pytest.approx(1, rel=0.06)


def test_an_error_is_the_mean_distance_of_bins() -> None:
    logits = torch.tensor([[4.0, 0.0]] * 4).log_softmax(1)
    bins = reliability(logits, torch.tensor([0, 0, 0, 1]))
    sure = float(torch.tensor([4.0, 0.0]).softmax(0)[0])
    assert bins == [(pytest.approx(sure), 0.75, 1.0)] and error(bins) == pytest.approx(sure - 0.75)


@pytest.mark.parametrize("right,samples,low,high", [(0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (50, 100, 0.4038, 0.5962)])
def test_intervals_are_wilsons(right: int, samples: int, low: float, high: float) -> None:
    assert wilson(right, samples) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_slice_is_weak_where_all_of_its_interval_is_below() -> None:
    right = np.array([True] * 90 + [False] * 10 + [True] * 20 + [False] * 30)
    found = slices(right, {"good": np.arange(150) < 100, "bad": np.arange(150) >= 100, "few": np.arange(150) < 5})
    assert [(part.name, part.weak) for part in found] == [("bad", True), ("good", False)]


def test_quarters_hold_every_sample_once() -> None:
    values = np.random.default_rng(0).random(101)
    parts = by_size("words", values)
    assert len(parts) == 4 and (sum(part.astype(int) for part in parts.values()) == 1).all()
    assert by_size("words", np.ones(50)) == {}


def test_planted_label_errors_come_first() -> None:
    pytest.importorskip("cleanlab", reason="needs zoo-explain[labels]")
    random = np.random.default_rng(0)
    truth = random.integers(0, 4, 600)
    features = (np.eye(4)[truth] * 3 + random.normal(size=(600, 4))).astype(np.float32)
    labels = truth.copy()
    wrong = random.permutation(600)[:30]
    labels[wrong] = (labels[wrong] + 1) % 4
    found, chances = label_errors(features, labels)
    assert np.isin(found[:20], wrong).mean() >= 0.9 and chances.shape == (600, 4)


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Path]:
    """Return weights that tell red from blue, and data of which one test image is a training image as well."""
    random = np.random.default_rng(0)
    for split, count in (("train", 20), ("test", 15)):
        for place, name in enumerate(("blue", "red")):
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 120, (12, 12, 3), dtype=np.uint8)
                pixels[..., 2 * (1 - place)] += 130
                Image.fromarray(pixels).save(folder / f"{number}.png")
    source = tmp_path / "data" / "train" / "red" / "3.png"
    (tmp_path / "data" / "test" / "red" / "copy.png").write_bytes(source.read_bytes())
    model = zoo.create("resnet20", depth=1, widths=[4, 8, 16], num_classes=2)
    inputs = zoo.Preprocessing(image_size=(12, 12), channels=3)
    zoo.save(model, tmp_path / "w", task="image-classification", labels=("blue", "red"), inputs=inputs)
    return tmp_path / "w", tmp_path / "data"


def test_the_page_holds_everything_and_fetches_nothing(run: tuple[Path, Path], tmp_path: Path) -> None:
    weights, data = run
    done = CliRunner().invoke(command, [str(weights), "--data", str(data), "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    assert found["samples"] == 31 and found["duplicates"] == 1 and 0 < found["temperature"]
    content = (weights / "examination.html").read_text()
    for part in ("Calibration", "Slices", "Confusion", "Mistakes", "Near-duplicates", "Labels that are probably wrong"):
        assert part in content
    assert "http" not in content and "<script" not in content and "url(" not in content
    with Image.open(weights / "examination.png") as picture:
        assert picture.width > 1000


def test_push_takes_page_and_picture_along(run: tuple[Path, Path], served_hub: Any) -> None:
    weights, data = run
    CliRunner().invoke(command, [str(weights), "--data", str(data), "--no-labels"], catch_exceptions=False)
    zoo.push(weights, "tester/told", hub=served_hub.url, private=True, license="mit")
    pushed = HfApi(endpoint=served_hub.url, token=served_hub.token).list_repo_files("tester/told")
    assert {"examination.html", "examination.png"} <= set(pushed)


def test_a_temperature_goes_into_the_last_layer(convolutions: Path, tmp_path: Path) -> None:
    save_calibrated(str(convolutions), 2.5, tmp_path / "mended")
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    before, after = zoo.load(convolutions), zoo.load(tmp_path / "mended")
    with torch.no_grad():
        assert torch.allclose(before(images) / 2.5, after(images), atol=1e-5)
    assert zoo.describe(tmp_path / "mended").labels == zoo.describe(convolutions).labels


def test_weights_that_are_not_here_need_a_folder(run: tuple[Path, Path]) -> None:
    with pytest.raises(zoo.UsageError, match="is no run or weights folder here, beside which to write; name --out DIR"):
        CliRunner().invoke(command, ["hf://org/name", "--data", str(run[1])], catch_exceptions=False)
