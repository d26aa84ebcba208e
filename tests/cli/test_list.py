"""`zoo list`."""

import json
from pathlib import Path
from typing import Any

import pytest

from zoo.cli.catalogue_rows import MANY

ENTRY: dict[str, Any] = {
    "repo": "org/name",
    "revision": "a" * 40,
    "files": {"model.safetensors": {"sha256": "b" * 64, "size": 3}},
    "plugin": "zoo-tiny",
    "task": "image-classification",
    "license": "mit",
}
SCORED = {"data": "imagenet-1k", "source": "https://example.org/scores", "date": "2025-10-30"}


@pytest.fixture
def catalogue(tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes these the user's entries, each changed as it says."""

    def make(**entries: dict[str, Any]) -> None:
        weights = {f"tiny.{tag}": {**ENTRY, **changes} for tag, changes in entries.items()}
        (tmp_path / "own.json").write_text(json.dumps({"schema_version": 1, "weights": weights}))
        monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "own.json"))

    return make


def names(printed: str) -> list[str]:
    return [row["name"] for row in json.loads(printed)["weights"]]


def test_models_and_weights(pushed: str, says: Any) -> None:
    says("registry", "add", pushed, "--name", "tiny.demo", "--hub", "hub")
    assert says("list", "tiny*").splitlines() == [
        "NAME  PARAMS  MACS  FAMILY  CAN       RECIPE  LICENSE  FROM",
        "tiny  -       -     cnn     features  -       MIT      zoo-tiny",
        "",
        "NAME                    PARAMS  MACS  TASK                      DATA           SCORE          LICENSE  FROM",
        "tiny.demo               0 k     -     image-classification      fashion_mnist  accuracy #  mit      "
        "zoo-tiny · hf://me/tiny",
        "tiny_autoencoder.taesd  2.4 M   -     image-feature-extraction  -              -              mit      "
        "zoo-autoencoder · hf://madebyollin/taesd",
        "",
        "1 model, 2 weights. `zoo info NAME` tells more; `--recipes`, `--tasks`, `--datasets`, `--modalities`.",
    ]


def test_one_kind(painter: None, says: Any) -> None:
    assert says("list", "--recipes", "paint").splitlines() == [
        "NAME      STAGE     SUMMARY             FROM",
        "painting  pretrain  Paint what is seen  zoo-painter",
        "",
        "1 recipe. `zoo info NAME` tells more.",
    ]


def test_twice_in_one_process(painter: None, says: Any) -> None:
    assert says("list", "painter") == says("list", "painter"), "zoo.cli.list, once imported, is not taken for list()"


def test_what_is_too_large_or_of_unknown_size_is_left_out(catalogue: Any, says: Any) -> None:
    catalogue(small={"parameters": 10_000_000}, large={"parameters": 10_000_001}, unknown={})
    assert names(says("list", "tiny.*", "--weights", "--max-parameters", "10M", "--json")) == ["tiny.small"]
    assert "write for example --max-parameters 10M" in says("list", "--max-parameters", "ten", code=2)


def test_a_licence_that_is_not_known_to_allow_something_does_not(catalogue: Any, says: Any) -> None:
    licenses = {"free": "Apache-2.0", "copyleft": "gpl-3.0", "research": "cc-by-nc-4.0", "other": "other"}
    catalogue(**{tag: {"license": license} for tag, license in licenses.items()})
    asked = ("list", "tiny.*", "--weights", "--json")
    assert names(says(*asked, "--license-allows", "commercial")) == ["tiny.copyleft", "tiny.free"]
    rows = {row["name"]: row["commercial"] for row in json.loads(says(*asked))["weights"]}
    assert rows == {"tiny.free": True, "tiny.copyleft": True, "tiny.research": False, "tiny.other": None}


def test_the_best_score_first_of_those_on_the_same_data(catalogue: Any, says: Any) -> None:
    other = {**SCORED, "data": "other"}
    catalogue(
        none={},
        good={"scores": {"accuracy": 80.0}, "scored": SCORED},
        best={"scores": {"accuracy": 90.0}, "scored": SCORED},
        elsewhere={"scores": {"accuracy": 95.0}, "scored": other},
        lower={"scores": {"loss": 0.2}, "scored": SCORED},
        higher={"scores": {"loss": 0.3}, "scored": SCORED},
    )
    order = [f"tiny.{tag}" for tag in ("best", "good", "elsewhere", "lower", "higher", "none")]
    assert names(says("list", "tiny.*", "--weights", "--sort", "score", "--json")) == order
    row = json.loads(says("list", "tiny.best", "--weights", "--json"))["weights"][0]
    assert (row["scores"], row["scored"]) == ({"accuracy": 90.0}, SCORED)


def test_many_are_counted_by_family_until_they_are_asked_for(catalogue: Any, says: Any) -> None:
    catalogue(**{f"t{place}": {"parameters": 1000 * (place + 1)} for place in range(MANY)})
    said = says("list").splitlines()
    assert said[0].split() == ["FAMILY", "MODELS", "WEIGHTS", "PARAMS"]
    assert said[1].split() == ["cnn", "1", "150", "1", "k", "to", "150", "k"]
    assert "`--all` show rows" in said[-1]
    assert len(names(says("list", "--all", "--weights", "--json"))) > MANY
    assert len(names(says("list", "--family", "cnn", "--weights", "--json"))) == MANY


def test_what_models_take_was_counted(says: Any) -> None:
    """He et al. (2016) count 1.8 billion multiply-adds of ResNet-18, and 0.27 million parameters of ResNet-20."""
    rows = {row["name"]: row for row in json.loads(says("list", "--models", "resnet*", "--json"))["models"]}
    assert (rows["resnet18"]["macs"], rows["resnet18"]["input"]) == (1_814_073_344, "3x224x224")
    assert (rows["resnet20"]["params"], rows["resnet20"]["macs"]) == (269_722, 40_551_040)
    assert rows["resnet18"]["memory"] > 4 * rows["resnet18"]["params"]
