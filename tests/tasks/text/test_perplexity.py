"""Perplexity and bits per byte are the field's: of each text all tokens but the first, over the bytes of those."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import zoo
from zoo.data.text.dataset import TextDataset, TextSplit
from zoo.data.text.tokenize import TokenLayout, tokenize
from zoo.registry.registry import default_registry
from zoo.tasks.text.modelling import CausalLanguageModelling
from zoo.tasks.text.settings import CausalSettings
from zoo.weights.tokenizer import TextInputs
from zoo.weights.tokenizer_training import make_tokenizer

pytestmark = pytest.mark.skipif(
    "gpt2" not in {offer.spec.name for offer in default_registry().offers("models")},
    reason="needs a language model: pip install -e plugins/transformer",
)
TEXTS = ["a bear is brown", "où est-il ?", "ß", "the end"]


@pytest.mark.parametrize("kind", ["bytes", "characters"])
def test_scores_are_those_of_each_text_by_itself(kind: str) -> None:
    tokenizer = make_tokenizer(kind, TEXTS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: Any = zoo.create("gpt2", vocab_size=300, context=64, width=16, depth=2, num_heads=2)
    end = tokenizer.needed("end")
    rows = [[*tokenizer.encode([text])[0].ids, end] for text in TEXTS]
    nats, tokens = 0.0, 0
    with torch.no_grad():
        for row in rows:  # as transformers shifts labels: the first token is none
            ids = torch.tensor([row])
            logits = model.eval().lm_logits(model.forward_features(ids))
            nats += float(F.cross_entropy(logits[0, :-1], ids[0, 1:], reduction="sum"))
            tokens += len(row) - 1
    firsts = sum(1 if kind == "bytes" else len(text[0].encode()) for text in TEXTS)
    num_bytes = sum(len(text.encode()) for text in TEXTS) - firsts

    split = TextSplit(texts=TEXTS)
    data = TextDataset(name="told", splits={"train": split, "test": split}, source="told", fingerprint=f"told {kind}")
    length = sum(map(len, rows)) - 1  # one window with all that is foretold
    inputs = TextInputs(tokenizer, length)
    stream = tokenize(data, inputs, TokenLayout("tokens")).splits["test"]
    batches = stream.batches(
        batch_size=1, seed=0, shuffle=False, drop_last=False, device=torch.device("cpu"), rank=0, world_size=1
    )
    recipe = CausalLanguageModelling(CausalSettings(), model, (), inputs)
    scores = recipe.evaluate(batches.epoch(0))
    assert scores["loss"] == pytest.approx(nats / tokens, rel=1e-5)
    assert scores["perplexity"] == pytest.approx(math.exp(nats / tokens), rel=1e-4)
    assert scores["bits_per_byte"] == pytest.approx(nats / math.log(2) / num_bytes, rel=1e-5)
