"""Finetuning beside what needs no pretrained weights: all are trained on the same samples, and the best is named."""

import ast
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.cli import run
from zoo.data.drawing import draw_labelled
from zoo.data.images.mnist import fashion_mnist_sample
from zoo.data.text.baseline import word_accuracy, word_answers
from zoo.data.text.dataset import TextSplit
from zoo.registry.registry import default_registry

sklearn = pytest.importorskip("sklearn.linear_model", reason="needs scikit-learn: pip install 'zoo-hub[train]'")
pytestmark = pytest.mark.skipif(
    "dense_autoencoder" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs models: pip install -e plugins/autoencoder",
)
FEW: dict[str, Any] = {"steps": 1, "batch_size": 16, "evaluations": 1}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("weights") / "run"
    zoo.pretrain("dense_autoencoder", data="fashion_mnist_sample", out=out, settings=FEW)
    return out


def test_all_three_learn_from_the_same_samples(weights: Path, tmp_path: Path) -> None:
    task: dict[str, Any] = {"task": "image-classification", "data": "fashion_mnist_sample", "labels": 40}
    result = zoo.finetune(weights, **task, out=tmp_path / "run", settings={**FEW, "seed": 3}, baselines=True)
    data = fashion_mnist_sample(None)
    train, test = data.splits["train"], data.splits["test"]
    assert train.labels is not None and test.labels is not None
    rows = draw_labelled(train.labels, len(train), data.classes, 40, 3)
    pixels = [np.asarray(split.images).reshape(len(split), -1).astype(np.float32) / 255 for split in (train, test)]
    by_hand = sklearn.LogisticRegression(max_iter=1000).fit(pixels[0][rows], train.labels[rows])
    scratch, classical = result.baselines
    assert classical.name == "logistic regression on pixels"
    assert classical.scores["accuracy"] == pytest.approx(100 * by_hand.score(pixels[1], test.labels), abs=0.5)
    inner = json.loads((tmp_path / "run" / "scratch" / "run.json").read_text())
    assert (inner["settings"]["method"], inner["labels"], inner["settings"]["seed"]) == ("scratch", 40, 3)
    assert zoo.evaluate(tmp_path / "run" / "scratch", data="fashion_mnist_sample") == scratch.scores
    record = json.loads((tmp_path / "run" / "baselines.json").read_text())
    assert [entry["name"] for entry in record["results"]] == ["pretrained", "scratch", classical.name]
    assert record["best"] == result.best == classical.name, "one step of a network comes to nothing"


def test_the_shell_says_what_wins(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    few = [word for name, value in FEW.items() for word in ("--set", f"{name}={value}")]
    task = ["--task", "image-classification", "--data", "fashion_mnist_sample", "--labels", "40", "--out", "run"]
    asked = ["finetune", str(weights), *task, *few, "--baselines"]
    assert run(asked) == 0
    said = capsys.readouterr().out
    assert "  beside it, scratch: test accuracy" in said
    assert "\nlogistic regression on pixels wins: " in said
    assert run([*asked, "--json", "--force"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["best"] == "logistic regression on pixels" and len(found["baselines"]) == 2
    assert found["scores"]["accuracy"] >= 0


def test_what_cannot_be_compared_is_said_first(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def go(**more: Any) -> None:
        task: dict[str, Any] = {"task": "image-classification", "data": "fashion_mnist_sample", "settings": FEW}
        zoo.finetune(weights, out=tmp_path / "run", baselines=True, **{**task, **more})

    with pytest.raises(zoo.UsageError, match="omit --method scratch"):
        go(method="scratch")
    monkeypatch.setattr("zoo.extras.find_spec", lambda name: None if name == "sklearn" else name)
    with pytest.raises(zoo.UsageError, match=r"--baselines needs the train extra: pip install 'zoo-hub\[train\]'"):
        go()
    assert not (tmp_path / "run").exists()


def test_words_tell_classes_of_texts() -> None:
    texts = [f"{word} number {place}" for place in range(8) for word in ("good", "bad")]
    labels = np.arange(16) % 2
    split = TextSplit(texts, labels=labels)
    assert word_accuracy(split, split, np.arange(16)) == 100
    assert word_accuracy(TextSplit(texts, pairs=texts, labels=labels), split, np.arange(4)) == 100


def test_pixels_are_judged_by_samples_that_they_have_not_learnt(weights: Path) -> None:
    task: dict[str, Any] = {"task": "image-classification", "data": "fashion_mnist_sample"}
    found = zoo.held_out_baseline(weights, **task, samples=300, seed=4, folds=3)
    assert found is not None and found.name == "logistic regression on pixels"
    assert found.labels == zoo.features(weights, **task, samples=300, seed=4).labels.tolist()
    right = 100 * np.mean(np.array(found.answers) == found.labels)
    assert 50 < right < 90, "by its own samples it would tell all"
    assert found == zoo.held_out_baseline(weights, **task, samples=300, seed=4, folds=3)


def test_words_of_the_other_folds_tell_classes_of_texts() -> None:
    texts = [f"{word} number {place}" for place in range(8) for word in ("good", "bad")]
    labels = np.arange(16) % 2
    split = TextSplit([*texts, "alone"], labels=np.append(labels, 2))
    assert word_answers(split, np.arange(17), 4, 0)[:16] == labels.tolist()
    assert word_answers(split, np.arange(17), 4, 0)[16] != 2, "nothing else is of its class"


def test_scikit_learn_is_imported_where_it_is_needed_and_nowhere_else() -> None:
    for path in Path(zoo.__file__).parent.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            assert not (isinstance(node, ast.Import | ast.ImportFrom) and "sklearn" in ast.unparse(node)), path
