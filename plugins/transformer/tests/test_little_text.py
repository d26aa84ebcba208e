"""Recipes for little text keep what every recipe keeps; texts in a row are told apart, replaced tokens found."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from zoo_transformer.pretraining.hidden import IGNORED, hide, texts_in
from zoo_transformer.pretraining.replaced_tokens import ReplacedTokenDetection
from zoo_transformer.pretraining.settings import ReplacedTokenSettings, SimCSESettings
from zoo_transformer.pretraining.simcse import SimCSE

import zoo
from zoo.commands.following import after_pretraining
from zoo.testing import RecipeTests

BERT: dict[str, Any] = {"vocab_size": 300, "context": 24, "width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32}


def windows(batch: int = 4, length: int = 24) -> dict[str, torch.Tensor]:
    """Return windows of three texts each, of which the first is the end of one."""
    ids = torch.randint(5, 260, (batch, length), generator=torch.Generator().manual_seed(0))
    numbers = torch.tensor([1] * 6 + [2] * 10 + [3] * 8).expand(batch, -1)
    return {"input_ids": ids, "attention_mask": numbers}


class TestSimCSE(RecipeTests):
    name = "simcse"
    model = "bert"
    steps = 20

    def arguments(self) -> dict[str, Any]:
        return BERT

    def batch(self) -> dict[str, torch.Tensor]:
        return windows()


class TestSimCSEByDropoutAlone(TestSimCSE):
    model = "gpt2"

    def arguments(self) -> dict[str, Any]:
        return {name: value for name, value in BERT.items() if name != "mlp_width"}

    def settings(self) -> dict[str, Any]:
        return {"span": 1.0, "masked": 0.0, "mlm_weight": 0.0}


class TestReplacedTokenDetection(RecipeTests):
    name = "replaced_token_detection"
    model = "bert"
    steps = 20

    def arguments(self) -> dict[str, Any]:
        return BERT

    def batch(self) -> dict[str, torch.Tensor]:
        return windows()


def inputs() -> zoo.TextInputs:
    from zoo.registry.loading import load_modality

    made: zoo.TextInputs = load_modality("text").inputs_for(windows())
    return made


def indexed(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {**batch, "index": torch.arange(len(batch["input_ids"]))}


def test_texts_that_begin_in_a_window_are_rows_of_their_own() -> None:
    batch = windows(batch=2)
    features = torch.arange(48.0).view(2, 24, 1)
    rows, mask = texts_in(batch["input_ids"], batch["attention_mask"], 4).rows(
        features, torch.ones_like(batch["input_ids"]) > 0
    )
    assert mask.sum(1).tolist() == [10, 8, 10, 8]
    assert rows[1, :8, 0].tolist() == list(range(16, 24))
    assert rows[2, :, 0].tolist() == list(range(30, 40))
    assert not rows[1, 8:].any()


def test_spans_lie_in_their_text_and_differ_in_length() -> None:
    ids, numbers = torch.zeros(50, 24, dtype=torch.long), windows(batch=50)["attention_mask"]
    texts, draws = texts_in(ids, numbers, 4), zoo.Draws(0, 0, torch.arange(50))
    seen = texts.spans(draws, 0.5, ids.shape)
    assert torch.equal(seen, texts.spans(draws, 0.5, ids.shape)) and seen[:, [0, 6, 16]].all()
    counts = seen[:, 7:16].sum(1)
    assert counts.min() >= 4 and counts.max() == 9 and len(counts.unique()) > 3
    assert all("101" not in "".join(map(str, row)) for row in seen[:, 7:16].long().tolist()), "one span of each"
    assert texts.spans(draws, 1.0, ids.shape).all()


def test_what_is_not_seen_changes_nothing() -> None:
    made, batch = simcse(dropout=0.0), indexed(windows())
    draws = zoo.Draws(0, 0, batch["index"])
    texts = texts_in(batch["input_ids"], batch["attention_mask"], 4)
    unseen = ~texts.spans(draws, 0.5, batch["input_ids"].shape)
    changed = {**batch, "input_ids": batch["input_ids"].masked_fill(unseen, 7)}
    with torch.no_grad():
        assert torch.equal(made._seen(batch, draws, texts)[0], made._seen(changed, draws, texts)[0])


def test_short_texts_and_padding_are_left_out() -> None:
    ids = torch.zeros(1, 8, dtype=torch.long)
    kept = texts_in(ids, torch.tensor([[1, 2, 2, 2, 2, 3, 3, 0]]), 4)
    assert kept.lengths[kept.whole].tolist() == [4]


@pytest.mark.parametrize("mask", [None, torch.ones(2, 8, dtype=torch.long), torch.arange(8).expand(2, -1)])
def test_a_window_without_whole_texts_is_one(mask: torch.Tensor | None) -> None:
    kept = texts_in(torch.zeros(2, 8, dtype=torch.long), mask, 4)
    assert kept.lengths[kept.whole].tolist() == [8, 8]


def test_special_tokens_are_never_hidden() -> None:
    tokenizer = inputs().tokenizer
    ids = torch.full((1, 8), tokenizer.needed("end"))
    ids[0, 3] = 40
    hidden = hide(ids, zoo.Draws(0, 0, torch.arange(1)), 0.5, inputs())
    assert (hidden.targets != IGNORED).sum() == 1
    assert (hidden.seen != ids).nonzero().tolist() == [[0, 3]]
    assert hidden.seen[0, 3] == tokenizer.needed("mask")


def simcse(**settings: Any) -> SimCSE:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return SimCSE(SimCSESettings(**settings), zoo.create("bert", **BERT), (), inputs())


def test_the_contrast_is_that_of_the_authors() -> None:
    """`cl_forward` of princeton-nlp/SimCSE: cosines of all pairs over the temperature, its own on the diagonal."""
    made = simcse(span=1.0, masked=0.0, mlm_weight=0.0, dropout=0.0, temperature=0.1)
    batch = indexed(windows())
    with torch.no_grad():
        mine = made._losses(batch, zoo.Draws(0, 0, batch["index"]))[0]
        rows = [batch["input_ids"][row, part] for row in range(4) for part in (slice(6, 16), slice(16, 24))]
        vectors = torch.cat([made.projector(made.model(row[None])) for row in rows])
        cosines = F.cosine_similarity(vectors[:, None], vectors[None], dim=-1) / 0.1
        torch.testing.assert_close(mine, F.cross_entropy(cosines, torch.arange(8)))


def test_dropout_acts_in_training_and_is_not_exported() -> None:
    made = simcse(masked=0.0, mlm_weight=0.0, dropout=0.3)
    batch = indexed(windows())
    first, second = (made._losses(batch, zoo.Draws(0, 0, batch["index"]))[0] for _ in range(2))
    assert not torch.equal(first, second)
    assert made.evaluate([batch]) == made.evaluate([batch])
    assert all(module.p == 0 for module in made.export().modules() if isinstance(module, torch.nn.Dropout))


def test_settings_that_leave_nothing_to_guess_are_refused() -> None:
    with pytest.raises(zoo.UsageError, match="mlm_weight=0, too"):
        simcse(masked=0.0)
    small = {"vocab_size": 300, "context": 24, "width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32}
    with pytest.raises(zoo.UsageError, match="--set mlm_weight=0 --set masked=0"):
        SimCSE(SimCSESettings(), zoo.create("t5", **small), (), inputs())
    with pytest.raises(zoo.UsageError, match="use another"):
        SimCSE(SimCSESettings(), torch.nn.Linear(2, 2), (), inputs())
    with pytest.raises(zoo.UsageError, match="teaches a bert"):
        ReplacedTokenDetection(ReplacedTokenSettings(), torch.nn.Linear(2, 2), (), inputs())


def electra(**settings: Any) -> ReplacedTokenDetection:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return ReplacedTokenDetection(ReplacedTokenSettings(**settings), zoo.create("bert", **BERT), (), inputs())


def test_what_is_filled_in_is_drawn_from_what_was_guessed() -> None:
    made, batch = electra(), windows(batch=1)
    hidden = hide(batch["input_ids"], zoo.Draws(0, 0, torch.arange(1)), 0.15, inputs())
    count = hidden.places.shape[1]
    with torch.no_grad():
        least = made.model(batch["input_ids"], batch["attention_mask"], hidden, torch.zeros(1, count))
        most = made.model(batch["input_ids"], batch["attention_mask"], hidden, torch.full((1, count), 1 - 2**-24))
    assert torch.equal(least.replaced.nonzero()[:, 1].sort().values, hidden.places[0].sort().values)
    assert most.said.shape == (1, 24)
    right = hidden._replace(targets=torch.full_like(hidden.targets, IGNORED))
    with torch.no_grad():
        kept = made.model(batch["input_ids"], batch["attention_mask"], right, torch.zeros(1, count))
    assert not kept.replaced.any()


def test_a_token_guessed_right_counts_as_kept() -> None:
    made, batch = electra(), indexed(windows())
    with torch.no_grad():
        made.model.words.bias.fill_(-1e4)
        made.model.words.bias[batch["input_ids"][0, 0]] = 1e4
    batch["input_ids"] = torch.full_like(batch["input_ids"], int(batch["input_ids"][0, 0]))
    assert not made._guesses(batch, zoo.Draws(0, 0, batch["index"])).replaced.any()


def test_the_generator_is_not_published(tmp_path: Path) -> None:
    exported = electra().export()
    assert exported.state_dict().keys() == zoo.create("bert", **BERT).state_dict().keys()
    assert all(parameter.requires_grad for parameter in exported.parameters())
    assert electra().pictures([], tmp_path) == []


@pytest.mark.parametrize("recipe", ["simcse", "replaced_token_detection"])
def test_what_comes_next_is_a_task_of_classes(recipe: str, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("text\n" + "".join(f"a text of number {number}\n" for number in range(60)))
    settings = {"steps": 1, "batch_size": 4, "tokenizer": "bytes", "max_tokens": 24}
    sizes = {name: value for name, value in BERT.items() if name not in ("vocab_size", "context")}
    data = str(tmp_path / "texts.csv")
    made = zoo.pretrain("bert", recipe=recipe, data=data, out=tmp_path / "run", settings=settings, arguments=sizes)
    assert zoo.describe(made.weights).task == "feature-extraction"
    assert any("--task text-classification" in line for line in after_pretraining(made, "bert"))
