"""What models of texts share, and how they differ."""

from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from plugins.transformer.tests.small import SMALL, SMALL_TEXT, TEXTS, tokens


@pytest.mark.parametrize(("name", "arguments"), TEXTS)
def test_they_keep_the_protocols(name: str, arguments: dict[str, Any]) -> None:
    model = zoo.create(name, **arguments)
    assert isinstance(model, zoo.LanguageModel)
    assert isinstance(model, zoo.CausalLanguageModel) == (name not in ("bert", "roberta", "distilbert"))
    assert isinstance(model, zoo.EncoderDecoder) == (name in ("t5", "marian"))
    assert model.context == 32


@pytest.mark.parametrize(("name", "arguments"), TEXTS)
def test_a_mask_of_another_shape_is_refused(name: str, arguments: dict[str, Any]) -> None:
    model = zoo.create(name, **arguments)
    with pytest.raises(zoo.UsageError, match=r"attention_mask is \(3, 8\), not \(3, 9\)"):
        model(tokens(), torch.ones(3, 8))


@pytest.mark.parametrize("name", ["bert", "gpt2"])
def test_a_text_beyond_the_context_is_refused(name: str) -> None:
    model = zoo.create(name, **SMALL_TEXT)
    assert model(tokens(length=32)).shape == (3, 16)
    with pytest.raises(zoo.UsageError, match="33 tokens are more than the context of 32"):
        model(tokens(length=33))


def test_a_full_cache_is_refused() -> None:
    model: Any = zoo.create("gpt2", **SMALL_TEXT)
    cache = model.new_cache(10)
    model.forward_features(tokens(), cache=cache)
    with pytest.raises(zoo.UsageError, match="11 tokens are more than the cache has room for"):
        model.forward_features(tokens(length=2), cache=cache)


def test_a_text_has_no_maps(tmp_path: Path) -> None:
    from zoo.weights.folder import save_weights

    save_weights(tmp_path / "weights", zoo.create("gpt2", **SMALL_TEXT), model_name="gpt2", arguments=SMALL_TEXT)
    with pytest.raises(zoo.UsageError, match="GPT2 has no feature maps per stage; omit features_only"):
        zoo.load(tmp_path / "weights", features_only=True)


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_no_token_sees_those_after_it(name: str) -> None:
    model: Any = zoo.create(name, **dict(SMALL)[name]).eval()
    ids = tokens()
    with torch.no_grad():
        whole, start = model.forward_features(ids), model.forward_features(ids[:, :5])
    assert torch.allclose(whole[:, :5], start, atol=1e-5)


def test_a_bert_takes_the_mean_of_what_is_no_padding() -> None:
    model: Any = zoo.create("bert", **SMALL_TEXT, pool="avg").eval()
    mask = (torch.arange(9) < torch.tensor([[9], [5], [1]])).long()
    with torch.no_grad():
        pooled, alone = model(tokens(), mask), model(tokens()[1:2, :5])
    assert torch.allclose(pooled[1:2], alone, atol=1e-5)


def test_a_bert_tells_the_texts_of_a_pair_apart() -> None:
    model: Any = zoo.create("bert", **SMALL_TEXT).eval()
    with torch.no_grad():
        assert not torch.equal(model(tokens()), model(tokens(), token_type_ids=torch.ones(3, 9, dtype=torch.long)))


@pytest.mark.parametrize(("name", "arguments"), TEXTS)
def test_a_text_without_tokens_is_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(zoo.UsageError, match="these texts have no tokens"):
        zoo.create(name, **arguments)(tokens(length=0))
