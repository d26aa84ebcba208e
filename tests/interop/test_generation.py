"""What transformers generates ours generates, greedily and by beams, cut short by an end token or not."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from tests.interop.test_text import CONFIGS, HEADS
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.token_loop import generate_ids

transformers = pytest.importorskip("transformers", reason="needs transformers: make test-interop")

NAMES = ("gpt2", "llama", "t5", "marian")
END = {"gpt2": 2, "llama": 2, "t5": 1, "marian": 1}
PAD = 0


@pytest.fixture(params=NAMES)
def pair(request: pytest.FixtureRequest, tmp_path: Path, randomised: Any) -> tuple[str, Any, Any]:
    """Return an architecture, transformers' model of it with random weights, and the same weights loaded here."""
    name = request.param
    torch.manual_seed(0)
    theirs = lively(randomised(getattr(transformers, HEADS[name])(CONFIGS[name]())))
    theirs.save_pretrained(tmp_path)
    return name, theirs, zoo.load(tmp_path)


def lively(model: Any) -> Any:
    """Give matrices weights as large as those that were learnt, so that it does not write one token for ever."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 2 and "embed_positions" not in name:
                large = 0.3 if parameter.shape[0] == 90 else 4  # the table of tokens is the last layer too
                parameter.normal_(std=large * parameter.shape[1] ** -0.5, generator=generator)
            elif name.endswith("bias"):
                parameter.normal_(std=0.1, generator=generator)
    return model


@pytest.fixture
def ids() -> Tensor:
    """Return five texts of 17 tokens, none of them padding or an end."""
    return torch.randint(3, 88, (5, 17), generator=torch.Generator().manual_seed(0))


def masked(name: str) -> Tensor:
    """Return which tokens are text: prompts are padded on the left, texts to read on the right."""
    lengths = torch.tensor([[17], [11], [4], [17], [1]])
    places = torch.arange(17)
    return (places < lengths if name in ("t5", "marian") else places >= 17 - lengths).long()


def told(theirs: Any, name: str, ids: Tensor, mask: Tensor, **asked: Any) -> list[list[int]]:
    """Return what transformers writes, without prompt, end and padding."""
    more = {"decoder_start_token_id": 0} if name in ("t5", "marian") else {}
    fixed = {"eos_token_id": END[name], "pad_token_id": PAD, "bad_words_ids": [[PAD]], "do_sample": False}
    found = theirs.generate(ids, attention_mask=mask, **fixed, **more, **asked)
    new = found[:, 1 if more else ids.shape[1] :].tolist()
    return [row[: row.index(END[name])] if END[name] in row else row for row in new]


def said(ours: Any, name: str, ids: Tensor, mask: Tensor, **asked: Any) -> list[list[int]]:
    return generate_ids(ours, ids, mask, Decoding(**asked), end=frozenset({END[name]}), pad=PAD)


def test_greedily_over_64_tokens(pair: Any, ids: Tensor) -> None:
    name, theirs, ours = pair
    for mask in (torch.ones_like(ids), masked(name)):
        mine = said(ours, name, ids, mask, max_new_tokens=64)
        assert mine == told(theirs, name, ids, mask, max_new_tokens=64)
        assert max(map(len, mine)) > 10


@pytest.mark.parametrize("penalty", [1.2, 1.5])
def test_repetition_penalty(pair: Any, ids: Tensor, penalty: float) -> None:
    name, theirs, ours = pair
    asked = {"max_new_tokens": 40, "repetition_penalty": penalty}
    mask = torch.ones_like(ids)
    mine = said(ours, name, ids, mask, **asked)
    assert mine == told(theirs, name, ids, mask, **asked)
    assert max(len(set(row)) for row in mine) > 5, "so they hardly repeat themselves"


@pytest.mark.parametrize("length_penalty", [1.0, 0.0, 2.0, -1.0])
def test_four_beams(pair: Any, ids: Tensor, length_penalty: float) -> None:
    name, theirs, ours = pair
    for mask in (torch.ones_like(ids), masked(name)):
        asked = {"max_new_tokens": 24, "length_penalty": length_penalty}
        mine = said(ours, name, ids, mask, beams=4, **asked)
        assert mine == told(theirs, name, ids, mask, num_beams=4, early_stopping=False, **asked)


def test_beams_that_end(pair: Any, ids: Tensor) -> None:
    """With an end that is likely, texts of unlike lengths compete."""
    name, theirs, ours = pair
    likely = ours_likeliest(ours, name, ids)
    for length_penalty in (1.0, 0.3):
        asked = {"max_new_tokens": 24, "length_penalty": length_penalty}
        mine = generate_ids(
            ours, ids, torch.ones_like(ids), Decoding(beams=3, **asked), end=frozenset({likely}), pad=PAD
        )
        fixed = {"eos_token_id": likely, "pad_token_id": PAD, "bad_words_ids": [[PAD]], "do_sample": False}
        more = {"decoder_start_token_id": 0} if name in ("t5", "marian") else {}
        found = theirs.generate(
            ids, attention_mask=torch.ones_like(ids), num_beams=3, early_stopping=False, **fixed, **more, **asked
        )
        new = found[:, 1 if more else ids.shape[1] :].tolist()
        assert mine == [row[: row.index(likely)] if likely in row else row for row in new]
        assert {len(row) for row in mine} != {24}


def test_beams_with_a_repetition_penalty(pair: Any, ids: Tensor) -> None:
    name, theirs, ours = pair
    asked = {"max_new_tokens": 16, "repetition_penalty": 1.2}
    mask = torch.ones_like(ids)
    mine = said(ours, name, ids, mask, beams=4, **asked)
    assert mine == told(theirs, name, ids, mask, num_beams=4, early_stopping=False, **asked)


def ours_likeliest(ours: Any, name: str, ids: Tensor) -> int:
    """Return the token that is written the most often."""
    written = said(ours, name, ids, torch.ones_like(ids), max_new_tokens=24)
    tokens = [token for row in written for token in row[2:]]
    return max(set(tokens), key=tokens.count)
