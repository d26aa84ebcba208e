"""What is on record is enough to train again, to the same bits on CPU."""

import json
from pathlib import Path

import pytest

import zoo
from zoo.errors import IntegrityError, NotFoundError
from zoo.registry.registry import default_registry

pytestmark = pytest.mark.skipif(
    "conv_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder",
)
DATA = "fashion_mnist_sample"
SMALL = {"widths": [4, 8], "code_size": 6}


@pytest.fixture
def pretrained(tmp_path: Path) -> Path:
    settings = {"steps": 6, "ema": 0.9, "validation": 0.1}
    zoo.pretrain("conv_autoencoder", data=DATA, out=tmp_path / "run", settings=settings, arguments=SMALL)
    return tmp_path / "run"


def test_a_run_is_reproduced_to_the_bit(pretrained: Path, tmp_path: Path) -> None:
    found = zoo.reproduce(pretrained, out=tmp_path / "again")
    assert found.identical
    assert found.differs == ()
    assert all(then == now for then, now in found.scores.values())


def test_finetuned_weights_are_reproduced_from_their_folder_alone(pretrained: Path, tmp_path: Path) -> None:
    tuned = tmp_path / "tuned"
    settings = {"steps": 5, "seed": 3}
    zoo.finetune(pretrained, task="image-classification", data=DATA, labels=40, out=tuned, settings=settings)
    weights = (tuned / "weights").rename(tmp_path / "weights")
    assert zoo.reproduce(weights, out=tmp_path / "again").identical


def test_other_data_of_that_name_are_refused(pretrained: Path, tmp_path: Path) -> None:
    record = json.loads((pretrained / "run.json").read_text())
    record["data"]["fingerprint"] = "0" * 64
    (pretrained / "run.json").write_text(json.dumps(record))
    with pytest.raises(IntegrityError, match="different data"):
        zoo.reproduce(pretrained, out=tmp_path / "again")


def test_weights_without_a_record(pretrained: Path, tmp_path: Path) -> None:
    (pretrained / "weights" / "training.json").unlink()
    with pytest.raises(NotFoundError, match="has no record of its training"):
        zoo.reproduce(pretrained / "weights", out=tmp_path / "again")
