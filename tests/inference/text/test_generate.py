"""`model.generate`: text in, text out, in batches, piece by piece, cut and ended as it was asked for."""

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.errors import DataError, NotFoundError, UsageError
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.generate import Generate
from zoo.inference.text.prompts import Prompts
from zoo.inference.text.token_loop import generate_ids
from zoo.weights.tokenizer import TOKENIZER_FILE, read_tokenizer
from zoo.weights.tokenizer_training import make_tokenizer

Weights = Callable[..., Path]
TEXTS = ["a bear", "", "two bears and a bowl", "naïve 猫", "a", "a bear"]


@pytest.mark.parametrize("name", ["continuing", "reading"])
def test_a_text_for_a_text_and_a_list_for_a_list(weights: Weights, name: str) -> None:
    generate = zoo.load(weights(name)).generate
    alone = [generate(text, max_new_tokens=12) for text in TEXTS]
    assert all(isinstance(text, str) for text in alone)
    for batch_size in (1, 2, 16):
        assert generate(TEXTS, batch_size=batch_size, max_new_tokens=12) == alone
    assert generate([]) == []


@pytest.mark.parametrize(
    "asked", [{}, {"temperature": 1.5, "seed": 4}, {"beams": 3}, {"stop": ("e",)}, {"stop": ("e", "ab")}]
)
@pytest.mark.parametrize("kind", ["bytes", "characters"])
def test_a_stream_is_the_same_text(weights: Weights, kind: str, asked: dict[str, Any]) -> None:
    generate = zoo.load(weights(kind=kind)).generate
    pieces = list(generate.stream("a bear", max_new_tokens=24, **asked))
    assert "".join(pieces) == generate("a bear", max_new_tokens=24, **asked)
    assert all(pieces) and (len(pieces) > 3 or "beams" in asked or "stop" in asked)


def test_the_seed_and_the_place_decide_what_is_drawn(weights: Weights) -> None:
    generate = zoo.load(weights()).generate
    asked: dict[str, Any] = {"temperature": 1.0, "max_new_tokens": 16}
    several = generate(["a bear"] * 3, seed=1, **asked)
    assert several == generate(["a bear"] * 3, seed=1, batch_size=1, **asked)
    assert several[0] == generate("a bear", seed=1, **asked) != generate("a bear", seed=2, **asked)
    assert len(set(several)) == 3


def test_top_k_of_one_and_one_beam_are_greedy(weights: Weights) -> None:
    generate = zoo.load(weights()).generate
    plain = generate(TEXTS, max_new_tokens=16)
    assert generate(TEXTS, max_new_tokens=16, temperature=1.0, top_k=1) == plain
    assert generate(TEXTS, max_new_tokens=16, beams=1) == plain
    assert len(set(plain)) > 2


def test_a_stop_string_is_cut_off(weights: Weights) -> None:
    generate = zoo.load(weights(kind="characters")).generate
    whole = generate("a bear", max_new_tokens=30)
    stop = whole[4:7]
    assert generate("a bear", max_new_tokens=30, stop=(stop,)) == whole[: whole.index(stop)]
    assert generate("a bear", max_new_tokens=30, stop=("not there",)) == whole


def test_texts_beyond_the_context_are_cut_and_said(weights: Weights, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "zoo")
    generate = zoo.load(weights(arguments={"context": 20})).generate
    long = "a bear " * 9
    assert generate([long, "a"], max_new_tokens=8) == generate([long[-12:], "a"], max_new_tokens=8)
    assert [record.getMessage() for record in caplog.records] == ["1 of 2 texts are truncated to the last 12 tokens"]
    caplog.clear()
    assert 1 <= len(generate("a").encode()) and generate("a") == generate("a", max_new_tokens=10), "half of the context"
    with pytest.raises(UsageError, match="20 new tokens leave no room"):
        generate("a", max_new_tokens=20)
    assert not caplog.records


@pytest.mark.parametrize("name", ["continuing", "reading"])
@pytest.mark.parametrize("kind", ["bytes", "bpe", "unigram"])
def test_ten_megabytes(weights: Weights, caplog: pytest.LogCaptureFixture, name: str, kind: str) -> None:
    caplog.set_level(logging.INFO, "zoo")
    generate = zoo.load(weights(name, kind=kind)).generate
    text = "a bear and a bowl, " * (10_000_000 // 19)
    start = time.process_time()
    found = generate(text, max_new_tokens=4)
    assert time.process_time() - start < 5, "a part of it is tokenised, not the whole"
    assert [record.getMessage() for record in caplog.records if "texts are truncated" in record.getMessage()]
    near = text[-4000:] if name == "continuing" else text[:4000]
    assert found == generate(near, max_new_tokens=4)


def test_what_prompts_are_made_of(weights: Weights) -> None:
    """Texts that are answered or read end with the end token, those that are gone on with do not."""
    tokenizer = read_tokenizer(weights())
    ids, end = tokenizer.encode(["bear"], special=False)[0].ids, tokenizer.needed("end")
    assert Prompts(tokenizer, "continued").ids(["bear", "bear</s>", ""], 9) == [ids, ids, [end]]
    for form in ("answered", "read"):
        prompts = Prompts(tokenizer, form)
        assert prompts.ids(["bear", "bear</s>", ""], 9) == [[*ids, end], [*ids, end], [end]]
        assert prompts.ids(["bear"], 3) == [[*ids[:2], end]]
    assert Prompts(tokenizer, "continued").ids(["bear"], 3) == [ids[-3:]]
    assert Prompts(tokenizer, "embedded").ids(["bear", ""], 3) == [ids[:3], [end]]


def test_a_text_that_holds_its_special_tokens_gets_none_around_it() -> None:
    tokenizer = make_tokenizer("wordpiece", ["a bear and a bear"], size=300)
    (plain,) = tokenizer.encode(["bear"], special=False)
    (around,) = tokenizer.encode(["bear"])
    assert around.ids[1:-1] == plain.ids
    prompts = Prompts(tokenizer, "continued")
    assert prompts.ids(["bear"], 9) == [around.ids[:-1]]
    assert prompts.ids(["bear", "[CLS]bear"], 9, special=False) == [plain.ids, around.ids[:-1]]


@pytest.mark.parametrize("task", ["translation", "summarization"])
def test_a_causal_model_answers_behind_an_end_token(weights: Weights, task: str) -> None:
    model: Any = zoo.load(weights(task=task))
    tokenizer = model.generate.inputs.tokenizer
    end = tokenizer.needed("end")
    prompt = torch.tensor([[*tokenizer.encode(["bear"], special=False)[0].ids, end]])
    asked = Decoding(max_new_tokens=6)
    (written,) = generate_ids(model, prompt, None, asked, end=frozenset({end}), pad=tokenizer.needed("pad"))
    assert model.generate("bear", max_new_tokens=6) == tokenizer.decode(written)
    assert model.generate.task == task


def test_weights_without_a_tokenizer_say_so_when_text_comes(weights: Weights) -> None:
    folder = weights()
    (folder / TOKENIZER_FILE).unlink()
    model = zoo.load(folder)
    with pytest.raises(NotFoundError, match=r"no tokenizer\.json in"):
        model.generate("a bear")
    with pytest.raises(NotFoundError, match=r"no tokenizer\.json in"):
        model.embed("a bear")


def test_what_is_no_text_is_refused(weights: Weights) -> None:
    model = zoo.load(weights())
    with pytest.raises(UsageError, match="int is not text"):
        model.generate([1, 2])  # type: ignore[list-item]
    with pytest.raises(DataError, match="not UTF-8 at character 3"):
        model.generate("abc\udcff")
    with pytest.raises(UsageError, match="batch_size is 0"):
        model.generate(["a"], batch_size=0)


def test_what_cannot_write_has_no_generate(weights: Weights) -> None:
    model: Any = zoo.load(weights("mute"))
    assert not isinstance(getattr(model, "generate", None), Generate)
    assert model.embed(["a"]).shape == (1, 16)


@pytest.mark.skipif(
    "ZOO_DATA" not in os.environ or "llama" not in zoo.list_models(family="transformer"),
    reason="needs $ZOO_DATA and models: pip install -e plugins/transformer",
)
def test_the_storyteller_tells_its_story() -> None:
    folder = Path(os.environ["ZOO_DATA"]) / "weights" / "stories260k"
    expected = json.loads((folder / "expected.json").read_bytes())
    generate = zoo.load(folder).generate
    count = len(expected["greedy_ids"]) - len(expected["prompt_ids"])
    story = expected["prompt"] + generate(expected["prompt"], max_new_tokens=count)
    assert story == expected["greedy_text"]
    assert generate.inputs.tokenizer.encode([story])[0].ids == expected["greedy_ids"]
    assert "".join(generate.stream(expected["prompt"], max_new_tokens=count)) == story[len(expected["prompt"]) :]


@pytest.mark.parametrize("asked", [{}, {"beams": 3}, {"temperature": 1.0}])
@pytest.mark.parametrize("name", ["continuing", "reading"])
def test_038_broken_weights_write_nothing(weights: Weights, name: str, asked: dict[str, Any]) -> None:
    model = zoo.load(weights(name))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    with pytest.raises(zoo.IntegrityError, match="makes NaN or infinity of this text: its weights are broken"):
        model.generate("a bear", max_new_tokens=4, **asked)
