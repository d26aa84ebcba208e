"""Text from pretraining to a task and to what is written, on small real files, in code and at the shell."""

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.cli import run
from zoo.registry.registry import default_registry

pytestmark = pytest.mark.skipif(
    "bert" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a text backbone: pip install -e plugins/transformer",
)
SIZES: dict[str, Any] = {"width": 16, "depth": 2, "num_heads": 2, "mlp_width": 32}
QUICK: dict[str, Any] = {"steps": 4, "batch_size": 4, "evaluations": 1, "tokenizer": "bytes", "max_tokens": 32}


@pytest.fixture
def shakespeare(tmp_path: Path) -> Path:
    path = tmp_path / "play.txt"
    path.write_text("".join(f"To be, or not to be, that is question {number % 7}.\n" for number in range(80)))
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    folder = tmp_path / "questions"
    folder.mkdir()
    for split, count in (("train", 24), ("test", 8)):
        rows = [f"{'who' if n % 2 else 'where'} is number {n}?,{'HUM' if n % 2 else 'LOC'}" for n in range(count)]
        (folder / f"{split}.csv").write_text("\n".join(["question,kind", *rows]) + "\n")
    return folder


def test_weights_of_text_travel_from_pretraining_to_a_task(shakespeare: Path, questions: Path, tmp_path: Path) -> None:
    first = zoo.pretrain("bert", data=str(shakespeare), out=tmp_path / "bert", settings=QUICK, arguments=SIZES)
    assert zoo.describe(first.weights).tokenization is not None
    second = zoo.finetune(
        first.folder,
        task="text-classification",
        data=str(questions),
        out=tmp_path / "kinds",
        settings={"steps": 3, "batch_size": 4, "evaluations": 1},
        columns={"text": "question", "label": "kind"},
    )
    block = zoo.describe(second.weights)
    assert block.labels == ("HUM", "LOC") and block.tokenization == zoo.describe(first.weights).tokenization
    again = zoo.evaluate(second.weights, data=str(questions), columns={"text": "question", "label": "kind"})
    assert again == pytest.approx(second.scores)
    repeated = zoo.reproduce(second.folder, out=tmp_path / "again")
    assert repeated.identical
    goes_on = zoo.finetune(
        first.folder,
        task="fill-mask",
        data=str(shakespeare),
        out=tmp_path / "more",
        settings={"steps": 2, "batch_size": 4},
    )
    assert goes_on.scores["loss"] < 10


def test_labels_of_texts_are_counted(questions: Path, shakespeare: Path, tmp_path: Path) -> None:
    first = zoo.pretrain("gpt2", data=str(shakespeare), out=tmp_path / "gpt", settings=QUICK, arguments=SIZES)
    few: dict[str, Any] = {"columns": {"text": "question", "label": "kind"}, "task": "text-classification"}
    result = zoo.finetune(
        first.folder, data=str(questions), out=tmp_path / "few", labels=4, settings={"steps": 2, "batch_size": 2}, **few
    )
    assert 0 <= result.scores["accuracy"] <= 100
    with pytest.raises(zoo.UsageError, match="fewer than one for each"):
        zoo.finetune(first.folder, data=str(questions), out=tmp_path / "none", labels=1, **few)


def test_text_and_pictures_are_not_mixed_up(shakespeare: Path, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="takes text, not image"):
        zoo.pretrain("gpt2", data=str(shakespeare), recipe="supervised", out=tmp_path / "x", arguments=SIZES)
    with pytest.raises(zoo.DataError, match="is image data, and .gpt2. takes text"):
        zoo.pretrain("gpt2", data="fashion_mnist_sample", out=tmp_path / "x", arguments=SIZES)


def test_a_tokenizer_that_is_another_each_time_is_refused(shakespeare: Path, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="zoo tokenizer train"):
        zoo.pretrain("gpt2", data=str(shakespeare), out=tmp_path / "x", settings={**QUICK, "tokenizer": "unigram:400"})


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    folder = tmp_path / "captions"
    folder.mkdir()
    for split, count in (("train", 24), ("test", 6)):
        (folder / f"{split}.de").write_text("".join(f"ein Hund Nummer {n}\n" for n in range(count)))
        (folder / f"{split}.en").write_text("".join(f"a dog number {n}\n" for n in range(count)))
    return folder


@pytest.mark.parametrize("name", ["t5", "gpt2"])
def test_pairs_of_texts_are_learnt_by_both_kinds_of_models(name: str, captions: Path, tmp_path: Path) -> None:
    columns = {"text": "de", "target": "en"}
    quick = {**QUICK, "max_tokens": 64, **({"sentinels": 16} if name == "t5" else {})}
    first = zoo.pretrain(
        name, data=str(captions), out=tmp_path / "first", settings=quick, arguments=SIZES, columns=columns
    )
    result = zoo.finetune(
        first.folder,
        task="translation",
        data=str(captions),
        out=tmp_path / "second",
        columns=columns,
        settings={"steps": 2, "batch_size": 4, "evaluations": 1, "max_tokens": 40, "max_target_tokens": 8},
    )
    assert {"bleu", "chrf", "loss", "perplexity"} <= result.scores.keys()
    (samples,) = result.pictures[1:]
    text = samples.read_text()
    assert "ein Hund Nummer 0" in text and "a dog number 0" in text and "tok:13a" in text
    written = zoo.load(result.weights).generate(["ein Hund"], max_new_tokens=4)
    assert isinstance(written, list) and len(written) == 1


def test_a_task_that_writes_asks_for_what_is_to_be_written(questions: Path, captions: Path, tmp_path: Path) -> None:
    columns = {"text": "de", "target": "en"}
    first = zoo.pretrain(
        "gpt2", data=str(captions), out=tmp_path / "first", settings=QUICK, arguments=SIZES, columns=columns
    )
    with pytest.raises(zoo.DataError, match="--target NAME"):
        zoo.finetune(
            first.folder, task="summarization", data=str(questions), out=tmp_path / "x", columns={"text": "question"}
        )
    result = zoo.finetune(
        first.folder,
        task="translation",
        data=str(captions),
        out=tmp_path / "y",
        columns=columns,
        settings={"max_target_tokens": 64, "steps": 1, "batch_size": 4, "beams": 1},
    )
    assert zoo.describe(result.weights).tokenization.max_tokens == 16, "of 32 positions half are left to be read"  # type: ignore[union-attr]


def test_the_shell_goes_the_whole_way(
    shakespeare: Path, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    sizes = [word for name, value in SIZES.items() for word in ("--arg", f"{name}={value}")]
    quick = [word for name, value in QUICK.items() for word in ("--set", f"{name}={value}")]
    assert run(["pretrain", "gpt2", "--data", str(shakespeare), "--out", str(first), *sizes, *quick]) == 0
    shown = capsys.readouterr()
    assert f'zoo generate {first} "TEXT"' in shown.out and "texts/s" in shown.err
    columns = ["--text", "question", "--label", "kind"]
    few = ["--set", "steps=2", "--set", "batch_size=4"]
    task = ["--task", "text-classification", "--data", str(questions), *columns]
    assert run(["finetune", str(first), *task, "--out", str(second), *few]) == 0
    shown = capsys.readouterr()
    assert f"zoo evaluate {second} --data {questions} --text question --label kind" in shown.out
    assert run(["evaluate", str(second), "--data", str(questions), *columns, "--json"]) == 0
    assert json.loads(capsys.readouterr().out).keys() == {"accuracy", "f1_macro", "loss", "samples", "classes"}
    assert run(["evaluate", str(second), "--data", str(questions), "--text", "title"]) == 9
    assert "no column 'title' for --text; it has question, kind" in capsys.readouterr().err
    assert run(["finetune", str(first), *task, "--out", str(tmp_path / "dry"), "--dry-run"]) == 0
    assert "24 train, 8 test" in capsys.readouterr().out


TRANSLATING: dict[str, Any] = {"task": "translation", "method": "scratch", "columns": {"text": "de", "target": "en"}}


@pytest.mark.parametrize("name", ["marian", "t5", "gpt2"])
def test_a_model_is_trained_from_scratch_by_its_name(name: str, captions: Path, tmp_path: Path) -> None:
    few = {"steps": 2, "batch_size": 4, "evaluations": 1, "tokenizer": "characters", "max_tokens": 40}
    result = zoo.finetune(
        name,
        data=str(captions),
        out=tmp_path / "run",
        settings={**few, "max_target_tokens": 24},
        arguments=SIZES | ({"decoder_depth": 1} if name == "marian" else {}),
        **TRANSLATING,
    )
    block = zoo.describe(result.weights)
    assert block.task == "translation" and block.arguments["width"] == 16
    if name != "t5":  # which bounds no positions
        assert block.arguments["context"] == (64 if name == "gpt2" else 40)  # it goes on behind what it reads
    known = json.loads((result.weights / "tokenizer.json").read_text())["model"]["vocab"]
    assert "H" in known and "g" in known and "o" in known  # Hund, dog: both sides
    assert len(zoo.load(result.weights).generate(["ein Hund"], max_new_tokens=4)) == 1  # type: ignore[attr-defined]
    assert "base_licence" not in json.loads((result.folder / "run.json").read_text())
    assert zoo.reproduce(result.folder, out=tmp_path / "again").identical


def test_a_fresh_model_gets_the_kind_of_tokenizer_that_it_is_pretrained_with(questions: Path, tmp_path: Path) -> None:
    result = zoo.finetune(
        "bert",
        task="text-classification",
        method="scratch",
        data=str(questions),
        out=tmp_path / "run",
        settings={"steps": 2, "batch_size": 4, "evaluations": 1, "max_tokens": 16},
        arguments=SIZES,
        columns={"text": "question", "label": "kind"},
    )
    assert json.loads((result.weights / "tokenizer.json").read_text())["model"]["type"] == "WordPiece"
    assert zoo.describe(result.weights).labels == ("HUM", "LOC")


def test_a_tokenizer_for_weights_that_have_one_is_refused(shakespeare: Path, captions: Path, tmp_path: Path) -> None:
    first = zoo.pretrain("gpt2", data=str(shakespeare), out=tmp_path / "gpt", settings=QUICK, arguments=SIZES)
    with pytest.raises(zoo.UsageError, match=r"have a tokenizer of their own; omit it"):
        zoo.finetune(
            first.folder, data=str(captions), out=tmp_path / "x", settings={"tokenizer": "bytes"}, **TRANSLATING
        )


def test_a_model_that_cannot_write_is_refused_for_translation(captions: Path, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match=r"^BERT cannot write texts, which translation .*encode-decode"):
        zoo.finetune("bert", data=str(captions), out=tmp_path / "x", arguments=SIZES, **TRANSLATING)
    assert not (tmp_path / "x").exists()


def test_a_fresh_model_says_what_is_wrong_with_its_arguments(captions: Path, tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="context"):
        zoo.finetune("gpt2", data=str(captions), out=tmp_path / "x", arguments={"context": "abc"}, **TRANSLATING)


def said(run_folder: Path, out: Path, *options: str) -> list[dict[str, Any]]:
    assert run(["evaluate", str(run_folder), *options, "--out", str(out)]) == 0
    return [json.loads(line) for line in out.read_text("utf-8").split("\n")[:-1]]


def test_what_is_said_of_each_text_stands_by_that_text(tmp_path: Path) -> None:
    """Texts of like length are scored together, and written in the order of their split."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    test = [
        ("where is " + "very " * (7 - n % 8) + f"{n}?", "LOC") if n % 3 else (f"who is {n}?", "HUM") for n in range(9)
    ]
    for split, rows in (("train", test), ("test", test)):
        (folder / f"{split}.csv").write_text("question,kind\n" + "".join(f"{text},{kind}\n" for text, kind in rows))
    few = {"steps": 2, "batch_size": 4, "evaluations": 1, "max_tokens": 60, "tokenizer": "bytes"}
    columns = {"text": "question", "label": "kind"}
    common: dict[str, Any] = {"method": "scratch", "settings": few, "arguments": SIZES, "columns": columns}
    result = zoo.finetune("bert", task="text-classification", data=str(folder), out=tmp_path / "kinds", **common)
    asked = ("--data", str(folder), "--text", "question", "--label", "kind")
    found = said(result.folder, tmp_path / "kinds.jsonl", *asked)
    assert [(row["index"], row["text"], row["label"]) for row in found] == [(n, *row) for n, row in enumerate(test)]
    right = sum(row["predictions"][0]["label"] == row["label"] for row in found)
    assert zoo.evaluate(result.folder, data=str(folder), columns=columns)["accuracy"] == pytest.approx(100 * right / 9)


def test_what_is_written_for_each_text_stands_by_it(captions: Path, tmp_path: Path) -> None:
    test = [("Hund " * (7 - n % 8) + str(n), f"a dog, {n}") for n in range(9)]
    for place, side in enumerate(("de", "en")):
        (captions / f"test.{side}").write_text("".join(f"{row[place]}\n" for row in test))
    few = {"steps": 2, "batch_size": 4, "evaluations": 1, "tokenizer": "characters", "max_target_tokens": 8}
    result = zoo.finetune("t5", data=str(captions), out=tmp_path / "run", settings=few, arguments=SIZES, **TRANSLATING)
    asked = ("--data", str(captions), "--text", "de", "--target", "en")
    found = said(result.folder, tmp_path / "written.jsonl", *asked)
    assert [(row["index"], row["text"], row["reference"]) for row in found] == [(n, *row) for n, row in enumerate(test)]
    model: Any = zoo.load(result.weights)
    written = model.generate([row["text"] for row in found], beams=4, max_new_tokens=8)
    assert [row["prediction"] for row in found] == written


def test_hidden_words_are_said_window_by_window(shakespeare: Path, tmp_path: Path) -> None:
    first = zoo.pretrain("bert", data=str(shakespeare), out=tmp_path / "bert", settings=QUICK, arguments=SIZES)
    found = said(first.folder, tmp_path / "hidden.jsonl", "--data", str(shakespeare))
    assert [row["index"] for row in found] == list(range(len(found))) and found
    tokens = sum(row["tokens"] for row in found)
    right = sum(mine == true for row in found for mine, true in zip(row["prediction"], row["reference"], strict=True))
    assert all(len(row["reference"]) == row["tokens"] for row in found)
    scores = zoo.evaluate(first.folder, data=str(shakespeare))
    assert scores["accuracy"] == pytest.approx(100 * right / tokens)
    assert scores["loss"] == pytest.approx(sum(row["loss"] * row["tokens"] for row in found) / tokens, rel=1e-4)
