"""A fresh model begins at weights of somebody else as far as tensors are the same, and tables as far as tokens are."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.api.requests import pretrain_request
from zoo.registry.registry import default_registry
from zoo.training.job import TrainingJob, pretraining
from zoo.weights.tokenizer import TextInputs, read_tokenizer

pytestmark = pytest.mark.skipif(
    "bert" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a model: pip install -e plugins/transformer",
)
SMALL: dict[str, Any] = {"width": 16, "depth": 2, "num_heads": 2, "mlp_width": 32}
SETTINGS: dict[str, Any] = {"steps": 1, "tokenizer": "characters", "max_tokens": 16, "batch_size": 2}
WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    (tmp_path / "theirs.txt").write_text("abcdefgh " * 60)
    (tmp_path / "mine.txt").write_text("fghijk " * 60)
    data = str(tmp_path / "theirs.txt")
    zoo.pretrain("bert", data=data, out=tmp_path / "theirs", settings=SETTINGS, arguments=SMALL)
    return tmp_path / "theirs" / "weights"


def settled(weights: Path, *, arguments: dict[str, int] | None = None, **more: Any) -> TrainingJob:
    folder, settings = weights.parents[1], {**SETTINGS, "start": str(weights), **more}
    sizes = {**SMALL, **(arguments or {})}
    data = str(folder / "mine.txt")
    return pretraining(pretrain_request("bert", data=data, out=folder / "mine", settings=settings, arguments=sizes))


def made(job: TrainingJob) -> dict[str, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return dict(job.make_model().state_dict())


def place(job: TrainingJob, token: str) -> int:
    assert isinstance(job.inputs, TextInputs)
    return int(job.inputs.tokenizer.inner.token_to_id(token))


def test_layers_are_taken_whole_and_tables_by_their_tokens(weights: Path, caplog: pytest.LogCaptureFixture) -> None:
    job, theirs = settled(weights), zoo.load(weights).state_dict()
    with caplog.at_level(logging.INFO, "zoo"):
        mine = made(job)
    layer = "encoder.layer.1.output.dense.weight"
    assert torch.equal(mine[layer], theirs[layer])
    there = read_tokenizer(weights).inner.token_to_id
    for letter in ("f", "g", "h", " ", "<mask>"):
        assert torch.equal(mine[WORDS][place(job, letter)], theirs[WORDS][there(letter)]), letter
    assert not any(torch.equal(mine[WORDS][place(job, "k")], row) for row in theirs[WORDS])
    assert "tensors are taken from there, with 9 rows of each table" in caplog.text


def test_a_table_of_as_many_tokens_is_still_taken_by_its_tokens(weights: Path) -> None:
    (weights.parents[1] / "mine.txt").write_text("hgijklmn " * 60)
    job, theirs = settled(weights), zoo.load(weights).state_dict()
    mine = made(job)
    assert mine[WORDS].shape == theirs[WORDS].shape
    assert torch.equal(mine[WORDS][place(job, "h")], theirs[WORDS][read_tokenizer(weights).inner.token_to_id("h")])


def test_fewer_layers_take_the_first(weights: Path) -> None:
    layer = "encoder.layer.0.output.dense.weight"
    mine = made(settled(weights, arguments={"depth": 1}))
    assert torch.equal(mine[layer], zoo.load(weights).state_dict()[layer])


def test_weights_of_which_nothing_fits_are_refused(weights: Path) -> None:
    with pytest.raises(zoo.UsageError, match="no tensor of bert has the name and shape of one of bert"):
        settled(weights, arguments={"width": 12, "mlp_width": 20}).make_model()


def test_a_run_pins_where_it_began_and_its_license(weights: Path) -> None:
    folder = weights.parents[1]
    settings = {**SETTINGS, "start": str(folder / "theirs")}
    zoo.pretrain("bert", data=str(folder / "mine.txt"), out=folder / "mine", settings=settings, arguments=SMALL)
    record = json.loads((folder / "mine" / "run.json").read_text())
    assert record["pins"]["start"].keys() == {"sha256"} and record["base_licence"] == "unknown"
    assert zoo.reproduce(folder / "mine", out=folder / "again").identical
