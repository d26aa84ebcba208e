"""What weights say of texts, in code and at the shell."""

import json
import sys
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from zoo.cli import run
from zoo.registry.registry import default_registry
from zoo.tasks.multi_label import MultiLabelTextClassifier
from zoo.weights.description import WeightsDescription
from zoo.weights.folder import save_weights, write_weights
from zoo.weights.inputs import inputs_record
from zoo.weights.selftest import replay, write_selftest
from zoo.weights.tokenizer_training import make_tokenizer

pytestmark = pytest.mark.skipif(
    "bert" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a text backbone: pip install -e plugins/transformer",
)
WORDS = make_tokenizer("wordpiece", ["the cat sat on the mat", "where is the dog"] * 3, size=300)
INPUTS = zoo.TextInputs(WORDS, 16)
SMALL: dict[str, Any] = {
    "vocab_size": 300,
    "context": 16,
    "width": 16,
    "depth": 1,
    "num_heads": 2,
    "mlp_width": 32,
}
TEXTS = ["the cat", "where is the dog on the mat where", "dog", "the"]


def folder(tmp_path: Path, task: str, labels: tuple[str, ...]) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create("bert", **SMALL, num_classes=len(labels))
    arguments = {**SMALL, "num_classes": len(labels)}
    save_weights(tmp_path / "w", model, model_name="bert", arguments=arguments, task=task, labels=labels, inputs=INPUTS)
    return tmp_path / "w"


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    return folder(tmp_path, "text-classification", ("animal", "place", "thing"))


def test_texts_get_the_same_classes_alone_and_together(classes: Path) -> None:
    model = zoo.load(classes)
    together = model.predict(TEXTS, batch_size=3)
    for text, mine in zip(TEXTS, together, strict=True):
        (alone,) = model.predict(text)
        assert [item["label"] for item in mine["predictions"]] == [item["label"] for item in alone["predictions"]]
        assert mine["predictions"][0]["score"] == pytest.approx(alone["predictions"][0]["score"], abs=1e-5)
    ids = torch.tensor([WORDS.encode(["dog"])[0].ids])
    with torch.no_grad():
        expected = model(ids).softmax(1).max()
    assert together[2]["predictions"][0]["score"] == pytest.approx(float(expected), abs=1e-5)
    assert model.predict([]) == []


def test_weights_without_a_language_model_head_are_tested_by_themselves_all_the_same(tmp_path: Path) -> None:
    arguments = {**SMALL, "num_classes": 2, "lm_head": False}
    with torch.random.fork_rng(devices=[]):
        model = zoo.create("bert", **arguments)
    known: dict[str, Any] = {"task": "text-classification", "labels": ("a", "b"), "inputs": INPUTS}
    save_weights(tmp_path / "w", model, model_name="bert", arguments=arguments, **known)
    block, spec = zoo.describe(tmp_path / "w"), default_registry().model("bert").spec
    assert write_selftest(tmp_path / "w", zoo.load(tmp_path / "w"), block, spec, INPUTS)
    tested = replay(tmp_path / "w", zoo.load(tmp_path / "w"), spec)
    assert tested is not None and tested.first_off is None


def test_pairs_are_looked_at_together(classes: Path) -> None:
    model = zoo.load(classes)
    (pair,) = model.predict("the cat", "the dog")
    encoding = WORDS.encode(["the cat"], ["the dog"])[0]
    with torch.no_grad():
        logits = model(torch.tensor([encoding.ids]), token_type_ids=torch.tensor([encoding.type_ids]))
    assert pair["predictions"][0]["score"] == pytest.approx(float(logits.softmax(1).max()), abs=1e-5)
    with pytest.raises(zoo.UsageError, match="give equally many"):
        model.predict(["a", "b"], ["c"])


def test_texts_may_have_several_classes(tmp_path: Path) -> None:
    offer = default_registry().model("bert")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        network = MultiLabelTextClassifier(zoo.create("bert", **SMALL), 3)
    block = WeightsDescription(
        format_version=1,
        plugin=offer.plugin.distribution,
        plugin_version=offer.plugin.version,
        architecture="bert",
        arguments={**SMALL, "num_classes": 3},
        head={},
        task="text-classification",
        labels=("a", "b", "c"),
        inputs=inputs_record(INPUTS),
    )
    write_weights(tmp_path, network, block)
    WORDS.write(tmp_path)
    (found,) = zoo.load(tmp_path).predict("the cat")
    assert all(item["score"] >= 0.5 for item in found["predictions"])


def test_hidden_words_are_guessed(tmp_path: Path) -> None:
    model = zoo.load(folder(tmp_path, "fill-mask", ()))
    one, two = model.predict(["the [MASK] sat", "[MASK] [MASK]"])
    assert len(one["predictions"]) == 5 and one["predictions"][0].keys() == {"token", "score", "text"}
    scores = [item["score"] for item in one["predictions"]]
    assert scores == sorted(scores, reverse=True)
    assert len(two["predictions"]) == 2 and len(two["predictions"][0]) == 5
    with pytest.raises(zoo.UsageError, match=r"write \[MASK\] in place"):
        model.predict("the cat")


def test_weights_that_say_nothing_of_a_text_name_what_they_do(tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="zoo embed"):
        zoo.load(folder(tmp_path, "text-generation", ())).predict("the cat")
    with pytest.raises(zoo.UsageError, match="not a text classifier"):
        zoo.load(folder(tmp_path, "text-classification", ())).predict("the cat")


def test_a_text_of_nothing_and_one_of_megabytes_are_answered(classes: Path) -> None:
    empty, long = zoo.load(classes).predict(["", "the cat " * 1_300_000])
    assert np.isclose(sum(item["score"] for item in empty["predictions"]), 1, atol=1e-5)
    assert np.isclose(sum(item["score"] for item in long["predictions"]), 1, atol=1e-5)


def test_the_shell_takes_texts_and_files_of_lines(
    classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("the dog\n\nthe mat\n")
    assert run(["predict", str(classes), "the cat", str(lines), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["text"] for row in found] == ["the cat", "the dog", "the mat"]
    assert run(["predict", str(classes), "the cat"]) == 0
    assert capsys.readouterr().out.split()[:4] == ["TEXT", "LABEL", "SCORE", "NEXT"]
    assert run(["predict", str(classes), "the cat", "--out", str(tmp_path / "drawn")]) == 2
    assert "omit it" in capsys.readouterr().err
    lines.write_bytes(b"caf\xe9\n")
    assert run(["predict", str(classes), str(lines)]) == 9
    assert "not UTF-8 at byte 3" in capsys.readouterr().err


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert run(["predict", *arguments, "--json"]) == 0, capsys.readouterr().err
    return [row["text"] for row in json.loads(capsys.readouterr().out)]


def test_135_standard_input_is_texts_and_never_names(
    classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cat.txt").write_text("the dog\n")
    for command in ("predict", "embed"):
        piped = "\ufeffthe cat\u2028sat\r\n\ncat.txt\nnone.txt\n".encode()
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(piped)))
        assert run([command, str(classes), "the mat", "-", *(["--json"] if command == "predict" else [])]) == 0
        found = [row["text"] for row in json.loads(capsys.readouterr().out)]
        assert found == ["the mat", "the cat\u2028sat", "cat.txt", "none.txt"]
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=BytesIO(b"\n")))
        assert run([command, str(classes), "-"]) == 9
        assert "standard input is empty" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["none.txt", "none.CSV", "./none", "folder/none", "folder/the mat.jsonl", "a.md"])
def test_138_the_name_of_a_file_that_is_not_there_is_no_text(
    classes: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for command in ("predict", "embed"):
        assert run([command, str(classes), "the cat", name]) == 3
        found = capsys.readouterr()
        assert found.out == "" and f"no file {name}; check its name, or if it is a text, pass `-`" in found.err


def test_138_texts_that_look_a_little_like_names_are_texts(classes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["and/or", "see the.txt on the mat", "e.g.", "the cat.", "where/is/the dog", "~", "dog.com"]
    assert asked(capsys, str(classes), *texts) == texts


def test_138_a_table_is_read_by_its_rows(classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "data.csv"
    table.write_text('id;text;label\n1;"the cat; the\nmat";a\n2;dog;\n', encoding="utf-8")
    assert asked(capsys, str(classes), str(table)) == ["the cat; the\nmat", "dog"]
    assert asked(capsys, str(classes), str(table), "--text", "id") == ["1", "2"]
    assert run(["predict", str(classes), str(table), "--text", "body"]) == 9
    assert "no column 'body' for --text; it has id, text, label" in capsys.readouterr().err
    (tmp_path / "one.csv").write_text("question\nthe cat\ndog\n")
    assert asked(capsys, str(classes), str(tmp_path / "one.csv")) == ["the cat", "dog"]
    (tmp_path / "rows.json").write_text('[{"text": "the mat"}]')
    assert asked(capsys, str(classes), str(tmp_path / "rows.json"), "dog") == ["the mat", "dog"]
    (tmp_path / "bad.tsv").write_text('text\tlabel\n"the\ta\ncat"\tb\n')
    assert run(["predict", str(classes), str(tmp_path / "bad.tsv")]) == 9
    assert "or write its rows as JSON lines" in capsys.readouterr().err


def test_a_table_of_pairs_is_read_in_pairs(classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pairs.jsonl").write_text('{"sentence1": "the cat", "sentence2": "the dog"}\n')
    assert run(["predict", str(classes), str(tmp_path / "pairs.jsonl"), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    (wanted,) = zoo.load(classes).predict("the cat", "the dog")
    assert found["predictions"] == wanted["predictions"]
    assert run(["predict", str(classes), str(tmp_path / "pairs.jsonl"), "dog"]) == 2
    assert "some inputs are pairs" in capsys.readouterr().err


def test_a_folder_stands_for_its_texts(classes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "texts"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_text("the cat\n\ndog\n")
    (folder / ".hidden.txt").write_text("the mat\n")
    (folder / "inner" / "b.md").write_text("mat\n")
    assert asked(capsys, str(classes), str(folder)) == ["the cat", "dog", "mat"]
    (tmp_path / "empty").mkdir()
    assert run(["predict", str(classes), str(tmp_path / "empty")]) == 9
    assert "no text in" in capsys.readouterr().err
