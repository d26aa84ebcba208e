"""What chooses the weights of a run: a part that is held out, or the validation split that the data come with."""

import json
import logging
from pathlib import Path

import pytest
from PIL import Image

import zoo
from zoo.data.images.mnist import fashion_mnist_sample
from zoo.errors import UsageError
from zoo.registry.registry import default_registry

pytestmark = pytest.mark.skipif(
    "conv_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder",
)
ARGUMENTS = {"widths": [4, 8], "code_size": 6}
SETTINGS = {"epochs": 3, "batch_size": 4, "validation": "split"}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder whose pictures to validate with are those to test on."""
    images = fashion_mnist_sample(None).splits["train"].images
    for split, places in (("train", range(12)), ("test", range(12, 20)), ("val", range(12, 20))):
        (tmp_path / "pictures" / split).mkdir(parents=True)
        for place in places:
            Image.fromarray(images[place].squeeze()).save(tmp_path / "pictures" / split / f"{place}.png")
    return tmp_path / "pictures"


def test_the_validation_split_of_the_data_chooses(pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = zoo.pretrain("conv_autoencoder", data=str(pictures), out=run, settings=SETTINGS, arguments=ARGUMENTS)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    measured = [line["mse"] for line in lines if line["event"] == "validation"]
    assert len(measured) == 3
    assert result.scores["mse"] == min(measured)


def test_data_without_a_validation_split_are_refused_before_training(tmp_path: Path) -> None:
    for go in (zoo.pretrain, lambda name, **asked: zoo.dry_run("pretrain", name, **asked)):
        with pytest.raises(UsageError, match="has no validation split; .*--set validation=0.1"):
            go("conv_autoencoder", data="fashion_mnist_sample", out=tmp_path / "run", settings=SETTINGS)
    assert not (tmp_path / "run").exists()


def test_a_line_says_once_that_the_test_split_chooses_nothing(
    pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name, settings in (("watched", {"validation": 0}), ("chosen", {})):
        caplog.clear()
        with caplog.at_level(logging.INFO, "zoo"):
            zoo.pretrain(
                "conv_autoencoder",
                data=str(pictures),
                out=tmp_path / name,
                settings={**SETTINGS, **settings},
                arguments=ARGUMENTS,
            )
        said = [line for line in caplog.messages if "of the test split and choose nothing" in line]
        assert len(said) == (name == "watched")
