"""The recipes of text, on the transformers where they are installed."""

import json
import math
from pathlib import Path
from typing import Any, cast

import pytest
import torch

import zoo
from zoo.cli import run
from zoo.data.text.batches import IGNORED
from zoo.registry import default_registry
from zoo.tasks.text.classification import TextClassification
from zoo.tasks.text.modelling import CausalLanguageModelling, MaskedLanguageModelling, SpanCorruption
from zoo.tasks.text.settings import CausalSettings, MaskedSettings, SpanSettings, TextClassificationSettings
from zoo.testing import RecipeTests
from zoo.weights.tokenizer_training import make_tokenizer

pytestmark = pytest.mark.skipif(
    "bert" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a text backbone: pip install -e plugins/transformer",
)
BYTES = make_tokenizer("bytes", [])
SIZES: dict[str, Any] = {"width": 16, "depth": 2, "num_heads": 2, "mlp_width": 32, "context": 64}
SMALL: dict[str, Any] = {**SIZES, "vocab_size": 280}
T5: dict[str, Any] = {name: value for name, value in SMALL.items() if name != "context"}


def windows(length: int = 24) -> dict[str, torch.Tensor]:
    tokens = torch.randint(5, 260, (4, length + 1), generator=torch.Generator().manual_seed(0))
    numbers = torch.where(torch.arange(length) < 9, 1, 2).repeat(4, 1)
    return {
        "input_ids": tokens[:, :-1],
        "attention_mask": numbers,
        "targets": tokens[:, 1:].clone(),
        "num_bytes": torch.full((4,), 24.0),
    }


def texts() -> dict[str, torch.Tensor]:
    ids = torch.randint(5, 260, (6, 10), generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(10) < torch.tensor([[3], [10], [7], [1], [9], [10]])).long()
    return {"input_ids": ids * mask, "attention_mask": mask, "labels": torch.arange(6) % 3}


class TestCausalLanguageModelling(RecipeTests):
    name = "causal_language_modelling"
    model = "gpt2"

    def arguments(self) -> dict[str, Any]:
        return SMALL

    def batch(self) -> dict[str, torch.Tensor]:
        return windows()


class TestMaskedLanguageModelling(TestCausalLanguageModelling):
    name = "masked_language_modelling"
    model = "bert"
    steps = 12

    def settings(self) -> dict[str, Any]:
        return {"learning_rate": 5e-3}


class TestSpanCorruption(TestCausalLanguageModelling):
    name = "span_corruption"
    model = "t5"
    steps = 12

    def arguments(self) -> dict[str, Any]:
        return T5

    def settings(self) -> dict[str, Any]:
        return {"sentinels": 8, "max_tokens": 24}


class TestTextGeneration(TestCausalLanguageModelling):
    name = "text_generation"

    def settings(self) -> dict[str, Any]:
        return {"method": "lora", "learning_rate": 1e-2}


class TestFillMask(TestMaskedLanguageModelling):
    name = "fill_mask"


class TestTextClassification(RecipeTests):
    name = "text_classification"
    model = "bert"
    classes = ("a", "b", "c")

    def arguments(self) -> dict[str, Any]:
        return SMALL

    def batch(self) -> dict[str, torch.Tensor]:
        return texts()


class TestTextClassificationByADecoder(TestTextClassification):
    model = "gpt2"


class TestTextClassificationByAnEncoderDecoder(TestTextClassification):
    model = "t5"

    def arguments(self) -> dict[str, Any]:
        return T5


class TestTextsOfSeveralClasses(TestTextClassification):
    def batch(self) -> dict[str, torch.Tensor]:
        labels = torch.tensor([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 0]], dtype=torch.uint8)
        return {**texts(), "labels": labels}


def pairs(*, joined: bool) -> dict[str, torch.Tensor]:
    read = torch.randint(5, 260, (4, 8), generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(8) < torch.tensor([[8], [5], [7], [2]])).long()
    written = torch.randint(5, 260, (4, 5), generator=torch.Generator().manual_seed(1))
    references = {
        "references": torch.frombuffer(bytearray("aé.bcd.efg.hij.".encode()), dtype=torch.uint8)[:16].view(4, 4),
        "reference_lengths": torch.full((4,), 4),
    }
    if not joined:
        both = {"written_ids": written, "written_mask": torch.ones_like(written)}
        return {"input_ids": read * mask, "attention_mask": mask, **both, **references}
    rows = [
        [*row[:length], *after]
        for row, length, after in zip(read.tolist(), [8, 5, 7, 2], written.tolist(), strict=True)
    ]
    ids = torch.tensor([row + [0] * (13 - len(row)) for row in rows])
    inside = torch.tensor([[1] * len(row) + [0] * (13 - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": inside, "prompt_lengths": mask.sum(1), **references}


class TestTranslation(RecipeTests):
    name = "translation"
    model = "t5"

    def arguments(self) -> dict[str, Any]:
        return T5

    def settings(self) -> dict[str, Any]:
        return {"max_written": 6, "beams": 2}

    def batch(self) -> dict[str, torch.Tensor]:
        return pairs(joined=False)


class TestTranslationByMarian(TestTranslation):
    model = "marian"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL, "decoder_depth": 2, "decoder_num_heads": 2, "decoder_mlp_width": 32}


class TestSummarization(TestTranslation):
    name = "summarization"
    model = "llama"

    def arguments(self) -> dict[str, Any]:
        return {**SMALL, "num_kv_heads": 1}

    def batch(self) -> dict[str, torch.Tensor]:
        return pairs(joined=True)


def model(name: str, arguments: dict[str, Any]) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return zoo.create(name, **arguments)


def draws(count: int) -> zoo.Draws:
    return zoo.Draws(0, 0, torch.arange(count))


def test_the_causal_loss_is_the_mean_over_tokens_that_have_a_target() -> None:
    recipe = CausalLanguageModelling(CausalSettings(), model("gpt2", SMALL), (), zoo.TextInputs(BYTES, 24))
    batch = windows()
    batch["targets"][:, 8] = IGNORED
    (loss,) = recipe.step(batch, draws(4))
    logits = recipe.model.lm_logits(recipe.model.forward_features(batch["input_ids"], batch["attention_mask"]))
    kept = batch["targets"] != IGNORED
    chances = logits.log_softmax(-1)[kept].gather(1, batch["targets"][kept][:, None])
    assert torch.allclose(loss.value, -chances.mean(), atol=1e-5) and int(cast(Any, loss.count)) == 4 * 23
    scores = recipe.evaluate([{**batch, "index": torch.arange(4)}])
    assert math.isclose(scores["loss"], float(loss.value.detach()), rel_tol=1e-4)
    assert math.isclose(scores["bits_per_byte"], float(loss.value.detach()) * 4 * 23 / math.log(2) / 96, rel_tol=1e-4)


def test_hidden_tokens_are_hidden_as_published() -> None:
    seen: list[torch.Tensor] = []
    network = model("bert", SMALL)
    recipe = MaskedLanguageModelling(MaskedSettings(masked=0.25), network, (), zoo.TextInputs(BYTES, 24))
    network.forward_features = lambda ids, mask: (seen.append(ids), torch.zeros(*ids.shape, 16))[1]
    ids = torch.randint(5, 260, (400, 24), generator=torch.Generator().manual_seed(1))
    ids[:, 0] = BYTES.needed("begin")
    _, targets = recipe.foretold({"input_ids": ids}, draws(400))
    assert targets.shape == (400, 6) and bool((targets >= 5).all()), "special tokens are not guessed"
    changed = seen[0] != ids
    masked = seen[0] == BYTES.needed("mask")
    assert 0.75 < int(masked.sum()) / (400 * 6) < 0.85
    assert 0.06 < int((changed & ~masked).sum()) / (400 * 6) < 0.14
    assert not changed[:, 0].any()


def test_too_few_tokens_that_stand_for_spans_are_refused() -> None:
    with pytest.raises(zoo.UsageError, match="--set sentinels="):
        SpanCorruption(SpanSettings(sentinels=2, max_tokens=128), model("t5", T5), (), zoo.TextInputs(BYTES, 128))


def test_scores_of_classes_are_those_of_the_confusion() -> None:
    recipe = TextClassification(
        TextClassificationSettings(), model("bert", SMALL), ("a", "b"), zoo.TextInputs(BYTES, 9)
    )
    answers = torch.tensor([[2.0, 0], [2, 0], [2, 0], [0, 2]])
    recipe.model.forward = lambda input_ids, attention_mask: answers
    batch = {**{name: tensor[:4] for name, tensor in texts().items()}, "labels": torch.tensor([0, 0, 1, 1])}
    scores = recipe.evaluate([batch])
    assert scores["accuracy"] == 75.0
    assert math.isclose(scores["f1_macro"], 100 * (4 / 5 + 2 / 3) / 2, rel_tol=1e-6)


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


QUICK: dict[str, Any] = {"steps": 4, "batch_size": 4, "evaluations": 1, "tokenizer": "bytes", "max_tokens": 32}


def test_weights_of_text_travel_from_pretraining_to_a_task(shakespeare: Path, questions: Path, tmp_path: Path) -> None:
    sizes = {name: value for name, value in SIZES.items() if name != "context"}
    first = zoo.pretrain("bert", data=str(shakespeare), out=tmp_path / "bert", settings=QUICK, arguments=sizes)
    assert zoo.describe(first.weights).tokenisation is not None
    second = zoo.finetune(
        first.folder,
        task="text-classification",
        data=str(questions),
        out=tmp_path / "kinds",
        settings={"steps": 3, "batch_size": 4, "evaluations": 1},
        columns={"text": "question", "label": "kind"},
    )
    block = zoo.describe(second.weights)
    assert block.labels == ("HUM", "LOC") and block.tokenisation == zoo.describe(first.weights).tokenisation
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
    sizes = {name: value for name, value in SIZES.items() if name != "context"}
    first = zoo.pretrain("gpt2", data=str(shakespeare), out=tmp_path / "gpt", settings=QUICK, arguments=sizes)
    few: dict[str, Any] = {"columns": {"text": "question", "label": "kind"}, "task": "text-classification"}
    result = zoo.finetune(
        first.folder, data=str(questions), out=tmp_path / "few", labels=4, settings={"steps": 2, "batch_size": 2}, **few
    )
    assert 0 <= result.scores["accuracy"] <= 100
    with pytest.raises(zoo.UsageError, match="fewer than one for each"):
        zoo.finetune(first.folder, data=str(questions), out=tmp_path / "none", labels=1, **few)


def test_text_and_pictures_are_not_mixed_up(shakespeare: Path, tmp_path: Path) -> None:
    sizes = {name: value for name, value in SIZES.items() if name != "context"}
    with pytest.raises(zoo.UsageError, match="takes text, not image"):
        zoo.pretrain("gpt2", data=str(shakespeare), recipe="supervised", out=tmp_path / "x", arguments=sizes)
    with pytest.raises(zoo.DataError, match="holds no text"):
        zoo.pretrain("gpt2", data="fashion_mnist_sample", out=tmp_path / "x", arguments=sizes)


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
    sizes = {key: value for key, value in SIZES.items() if key != "context"}
    columns = {"text": "de", "target": "en"}
    quick = {**QUICK, "max_tokens": 64, **({"sentinels": 16} if name == "t5" else {})}
    first = zoo.pretrain(
        name, data=str(captions), out=tmp_path / "first", settings=quick, arguments=sizes, columns=columns
    )
    result = zoo.finetune(
        first.folder,
        task="translation",
        data=str(captions),
        out=tmp_path / "second",
        columns=columns,
        settings={"steps": 2, "batch_size": 4, "evaluations": 1, "max_tokens": 40, "max_written": 8},
    )
    assert {"bleu", "chrf", "loss", "perplexity"} <= result.scores.keys()
    (samples,) = result.pictures[1:]
    text = samples.read_text()
    assert "ein Hund Nummer 0" in text and "a dog number 0" in text and "tok:13a" in text
    written = zoo.load(result.weights).generate(["ein Hund"], max_new_tokens=4)
    assert isinstance(written, list) and len(written) == 1


def test_a_task_that_writes_asks_for_what_is_to_be_written(questions: Path, captions: Path, tmp_path: Path) -> None:
    sizes = {key: value for key, value in SIZES.items() if key != "context"}
    columns = {"text": "de", "target": "en"}
    first = zoo.pretrain(
        "gpt2", data=str(captions), out=tmp_path / "first", settings=QUICK, arguments=sizes, columns=columns
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
        settings={"max_written": 64, "steps": 1, "batch_size": 4, "beams": 1},
    )
    assert zoo.describe(result.weights).tokenisation.max_tokens == 16, "of 32 positions half are left to be read"  # type: ignore[union-attr]


def test_the_shell_goes_the_whole_way(
    shakespeare: Path, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    sizes = [word for name, value in SIZES.items() if name != "context" for word in ("--arg", f"{name}={value}")]
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
    assert json.loads(capsys.readouterr().out).keys() == {"accuracy", "f1_macro", "loss"}
    assert run(["evaluate", str(second), "--data", str(questions), "--text", "title"]) == 9
    assert "no column 'title' for --text; it has question, kind" in capsys.readouterr().err
    assert run(["finetune", str(first), *task, "--out", str(tmp_path / "dry"), "--dry-run"]) == 0
    assert "24 train, 8 test" in capsys.readouterr().out
