"""`model.embed`: one vector a text, the same in any batch, of what there is room for."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo

Weights = Callable[..., Path]
TEXTS = ["a bear", "", "two bears and a bowl", "naïve 猫", "a bear"]


@pytest.mark.parametrize("name", ["continuing", "reading", "mute"])
def test_the_same_vector_in_any_batch(weights: Weights, name: str) -> None:
    model: Any = zoo.load(weights(name))
    vectors = model.embed(TEXTS, batch_size=3)
    assert vectors.shape == (5, model.num_features) and not vectors.requires_grad
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert torch.allclose(model.embed(text)[0], vector)
        ids = torch.tensor([model.embed.inputs.tokenizer.encode([text])[0].ids or [3]])
        assert torch.allclose(model(ids)[0], vector)
    assert torch.equal(vectors[0], vectors[4]) and not torch.allclose(vectors[0], vectors[2])


def test_vectors_of_length_one(weights: Weights) -> None:
    embed = zoo.load(weights()).embed
    plain, normalised = embed(TEXTS), embed(TEXTS, normalize=True)
    assert torch.allclose(normalised.norm(dim=1), torch.ones(5, dtype=torch.double))
    assert torch.allclose(normalised * plain.norm(dim=1, keepdim=True), plain)


def test_no_texts_make_no_vectors(weights: Weights) -> None:
    assert zoo.load(weights()).embed([]).shape == (0, 16)


def test_a_long_text_is_cut_and_said(weights: Weights, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zoo")
    embed = zoo.load(weights(arguments={"context": 8})).embed
    assert torch.allclose(embed("a bear and a bowl" * 1000), embed("a bear a"[:6] + " a"))
    assert [record.getMessage() for record in caplog.records] == ["1 of 1 texts are truncated to the first 8 tokens"]


def test_the_old_name_of_normalize_goes_on_with_a_notice(weights: Weights, caplog: pytest.LogCaptureFixture) -> None:
    embed = zoo.load(weights()).embed
    assert torch.equal(embed(TEXTS, normalise=True), embed(TEXTS, normalize=True))  # type: ignore[call-arg]
    assert [record.getMessage() for record in caplog.records] == [
        "normalise= of EmbedTexts is now normalize=; the old name goes with the next release"
    ]
