"""The recipes of text, on the transformers where they are installed."""

import math
from typing import Any, cast

import pytest
import torch

import zoo
from zoo.data.text.batches import IGNORED
from zoo.registry.registry import default_registry
from zoo.tasks.text.modelling import CausalLanguageModelling, MaskedLanguageModelling, SpanCorruption, TextDenoising
from zoo.tasks.text.settings import CausalSettings, DenoisingSettings, MaskedSettings, SpanSettings
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


class TestTextDenoising(TestSpanCorruption):
    name = "text_denoising"

    def settings(self) -> dict[str, Any]:
        return {"max_tokens": 24}


class TestTextDenoisingByInfilling(TestTextDenoising):
    def settings(self) -> dict[str, Any]:
        return {"max_tokens": 24, "corruption": "infilling"}


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
        both = {"target_ids": written, "target_mask": torch.ones_like(written)}
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
        return {"max_target_tokens": 6, "beams": 2}

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


def denoised(**settings: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return what is read, its documents' numbers, and the window that is written."""
    network, read, begun = model("marian", SMALL), [], []
    network.forward_features = lambda ids, numbers: read.append((ids, numbers))
    network.decode = lambda ids, memory, numbers: (begun.append(ids), torch.zeros(*ids.shape, 16))[1]
    asked = DenoisingSettings(masked=0.25, target_tokens=0, **settings)
    recipe = TextDenoising(asked, network, (), zoo.TextInputs(BYTES, 24))
    batch = windows()
    _, targets = recipe.foretold(batch, draws(4))
    assert torch.equal(targets, batch["input_ids"]) and torch.equal(begun[0][:, 1:], targets[:, :-1])
    return *read[0], targets


def test_denoising_hides_each_token_by_a_mask_in_its_place() -> None:
    read, numbers, written = denoised()
    hidden = read == BYTES.needed("mask")
    assert bool((hidden.sum(1) == 6).all()) and torch.equal(read[~hidden], written[~hidden])
    assert torch.equal(numbers, windows()["attention_mask"])


def test_denoising_writes_the_beginning() -> None:
    recipe = TextDenoising(DenoisingSettings(target_tokens=7), model("marian", SMALL), (), zoo.TextInputs(BYTES, 24))
    logits, targets = recipe.foretold(windows(), draws(4))
    assert torch.equal(targets, windows()["input_ids"][:, :7]) and logits.shape == (4, 7, 280)


def test_infilling_reads_one_mask_for_each_span() -> None:
    read, numbers, written = denoised(corruption="infilling", span_length=3)
    mask = BYTES.needed("mask")
    assert read.shape == numbers.shape == (4, 20), "6 of 24 tokens lie in 2 spans"
    assert bool(((read == mask).sum(1) == 2).all())
    for row, whole in zip(read, written, strict=True):
        left = iter(whole.tolist())
        assert all(token in left for token in row[row != mask].tolist()), "what is left keeps its order"
