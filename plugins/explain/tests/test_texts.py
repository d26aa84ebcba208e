"""Weights of tokens: of classes, of masked words, and of what is written."""

from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from words import inputs, model_of, texts
from zoo_explain.command import command

import zoo


@pytest.mark.parametrize("method,count", [("token_gradients", 10), ("token_attention", 100)])
def test_the_hidden_word_is_found_first(method: str, count: int, trigger: Path) -> None:
    found = zoo.load(trigger).explain(texts(count, trigger=True, seed=9), method=method, batch_size=50)
    assert sum(result["target"] == "striped" for result in found) >= 0.99 * count
    first = [max(result["tokens"], key=lambda token: token["weight"])["text"].strip() for result in found]
    assert first.count("zebra") >= 0.95 * count


def test_weights_of_embeddings_add_up_to_the_difference(trigger: Path) -> None:
    explainer: Any = zoo.load(trigger).explain.explainer("token_gradients")
    encoded = explainer.encoded(texts(2, trigger=True, seed=3))
    chosen = explainer.subject.choose(encoded, None)
    total = explainer.attributions(encoded, chosen, 16).sum((1, 2))
    with torch.no_grad():
        whole = explainer.score(encoded.ids, encoded.mask, chosen.places)
        apart = whole - explainer.score(explainer.beginning(encoded), encoded.mask, chosen.places)
    assert torch.allclose(total, apart, rtol=0.06)


@pytest.mark.parametrize("method", ["token_gradients", "token_attention"])
def test_padding_and_batches_change_nothing(method: str, trigger: Path) -> None:
    explain = zoo.load(trigger).explain
    several = ["word1 zebra word2", "word3", "zebra word4 word5 word6 word7 word8"]
    together = explain(several, method=method)
    alone = [explain(text, method=method)[0] for text in several]
    for one, other in zip(together, alone, strict=True):
        assert [token["text"] for token in one["tokens"]] == [token["text"] for token in other["tokens"]]
        pairs = zip(one["tokens"], other["tokens"], strict=True)
        assert all(abs(left["weight"] - right["weight"]) < 2e-3 for left, right in pairs)


def test_pairs_are_explained_in_both_texts(trigger: Path) -> None:
    (found,) = zoo.load(trigger).explain([("word1 word2", "word3 zebra")], method="token_gradients")
    assert [token["text"] for token in found["tokens"]] == ["word1", " word2", " ‖ word3", " zebra"]
    assert max(found["tokens"], key=lambda token: token["weight"])["text"] == " zebra"


def test_a_masked_word_is_explained(tmp_path: Path) -> None:
    zoo.save(model_of("bert"), tmp_path / "w", task="fill-mask", inputs=inputs())
    explain = zoo.load(tmp_path / "w").explain
    for method in ("token_gradients", "token_attention"):
        (found,) = explain("word1 [MASK] word3", method=method, target="zebra")
        assert found["target"] == "zebra" and 0 < found["score"] < 1
        assert [token["text"].strip() for token in found["tokens"]][::2] == ["word1", "word3"]
    with pytest.raises(zoo.UsageError, match=r"a text has no mask; write \[MASK\] in place"):
        explain("word1 word2")
    with pytest.raises(zoo.UsageError, match="'two words' is 2 tokens here, and a mask stands for one"):
        explain("word1 [MASK]", target="two words")


@pytest.mark.parametrize("name,task", [("marian", "translation"), ("t5", "summarization"), ("gpt2", "text-generation")])
def test_each_written_token_has_its_weights(name: str, task: str, tmp_path: Path) -> None:
    arguments = {"decoder_depth": 2} if name == "marian" else {}
    zoo.save(model_of(name, **arguments), tmp_path / "w", task=task, inputs=inputs(pairs=False))
    explain = zoo.load(tmp_path / "w").explain
    for method in ("written_attention", "cross_attention"):
        (found,) = explain("word1 word2 word3", method=method)
        assert "".join(token["text"] for token in found["tokens"]) == "word1 word2 word3"
        assert "".join(token["text"] for token in found["written"]).strip() == found["target"]
        for token in found["written"]:
            assert (
                len(token["weights"]) == 3 and max(token["weights"]) == pytest.approx(1) and min(token["weights"]) >= 0
            )
    with pytest.raises(zoo.UsageError, match="explained token by token; omit --target"):
        explain("word1", method="written_attention", target="word2")


def test_an_empty_text_is_named(trigger: Path) -> None:
    with pytest.raises(zoo.DataError, match="a text is empty: it has no tokens to explain"):
        zoo.load(trigger).explain(["word1", "  "])


def test_a_page_fetches_nothing_and_obeys_no_text(trigger: Path, tmp_path: Path) -> None:
    words = [str(trigger), "<script>alert(1)</script> zebra", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    (path,) = (tmp_path / "out").iterdir()
    content = path.read_text()
    assert "<script" not in content and "http" not in content and "&lt;" in content and "src=" not in content
    assert "token gradients" in content and "token attention" in content
