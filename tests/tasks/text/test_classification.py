"""What finetuning for classes of texts does to its batches, and its scores."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch

import zoo
from zoo.data.draws import Draws
from zoo.registry.registry import default_registry
from zoo.tasks.text.classification import TextClassification
from zoo.tasks.text.settings import TextClassificationSettings
from zoo.weights.tokenizer_training import make_tokenizer

pytestmark = pytest.mark.skipif(
    "bert" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a text backbone: pip install -e plugins/transformer",
)
BYTES = make_tokenizer("bytes", [])
SIZES: dict[str, Any] = {"width": 16, "depth": 1, "num_heads": 2, "mlp_width": 32, "context": 200, "vocab_size": 280}


def recipe(masked: float, tokenizer: zoo.Tokenizer = BYTES, classes: tuple[str, ...] = ("a", "b")) -> Any:
    inputs = zoo.TextInputs(tokenizer, 200)
    return TextClassification(TextClassificationSettings(masked=masked), zoo.create("bert", **SIZES), classes, inputs)


def batch() -> dict[str, torch.Tensor]:
    """Four texts of 200 tokens, whose first and last are special."""
    begin, end = BYTES.needed("begin"), BYTES.needed("end")
    ids = torch.randint(10, 260, (4, 200), generator=torch.Generator().manual_seed(0))
    ids[:, 0], ids[:, -1] = begin, end
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": torch.tensor([0, 1, 0, 1])}


def seen(recipe: Any, go: Any) -> torch.Tensor:
    """Return the tokens that the network gets."""
    inside = recipe.model.forward
    given = []

    def forward(input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        given.append(input_ids)
        logits: torch.Tensor = inside(input_ids, attention_mask)
        return logits

    recipe.model.forward = forward
    go()
    (ids,) = given
    return ids


def test_a_share_of_the_tokens_is_hidden_while_it_learns() -> None:
    texts, learner = batch(), recipe(0.4)
    ids = seen(learner, lambda: list(learner.step(texts, Draws(0, 0, torch.arange(4)))))
    hidden = ids != texts["input_ids"]
    assert (ids[hidden] == BYTES.needed("mask")).all()
    assert 0.3 < hidden.float().mean() < 0.5
    assert not hidden[:, [0, -1]].any()
    later = recipe(0.4)
    other = seen(later, lambda: list(later.step(texts, Draws(0, 1, torch.arange(4)))))
    assert not torch.equal(ids, other)


def test_nothing_is_hidden_for_the_scores_or_unless_asked() -> None:
    texts, scored, plain = batch(), recipe(0.4), recipe(0.0)
    assert torch.equal(seen(scored, lambda: scored.evaluate([texts])), texts["input_ids"])
    draws = Draws(0, 0, torch.arange(4))
    assert torch.equal(seen(plain, lambda: list(plain.step(texts, draws))), texts["input_ids"])


def test_hiding_tokens_needs_a_token_for_it() -> None:
    tokenizer = replace(BYTES, roles={name: token for name, token in BYTES.roles.items() if name != "mask"})
    recipe(0.0, tokenizer)
    with pytest.raises(zoo.UsageError, match="no token for mask"):
        recipe(0.4, tokenizer)


def test_a_class_that_is_only_said_counts_for_f1_as_in_scikit_learn() -> None:
    scored = recipe(0.0, classes=("a", "b", "c", "d", "e", "f"))
    true = [0] * 6 + [1] * 5 + [2] * 4
    said = torch.tensor([0, 0, 0, 0, 3, 1, 1, 1, 1, 2, 4, 2, 2, 0, 3])
    scores = scored.scores(torch.nn.functional.one_hot(said, 6).float(), torch.tensor(true))
    # f1_score(true, said, average="macro") of scikit-learn 1.9.1; over the three that occur it would be 65.5
    assert scores["f1_macro"] == pytest.approx(39.30735930735931)


def test_scores_of_classes_are_those_of_the_confusion() -> None:
    scored = recipe(0.0)
    answers = torch.tensor([[2.0, 0], [2, 0], [2, 0], [0, 2]])
    scored.model.forward = lambda input_ids, attention_mask: answers
    scores = scored.evaluate([{**batch(), "labels": torch.tensor([0, 0, 1, 1])}])
    assert scores["accuracy"] == 75.0
    assert math.isclose(scores["f1_macro"], 100 * (4 / 5 + 2 / 3) / 2, rel_tol=1e-6)
