"""The loop: what a cache keeps changes nothing, nor does company; it ends where it should, and says what it cuts."""

import itertools
import logging
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.errors import UsageError
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.output_rows import Row
from zoo.inference.text.token_loop import generate_ids, write
from zoo.weights.tokenizer_training import make_tokenizer

NAMES = ("continuing", "reading")


def said(model: Any, ids: Tensor, mask: Tensor | None = None, *, end: tuple[int, ...] = (), **asked: Any) -> Any:
    return generate_ids(model, ids, mask, Decoding(**{"max_new_tokens": 20, **asked}), end=frozenset(end), pad=0)


def expected(model: Any, row: Tensor, tokens: int) -> Tensor:
    """Return log-probabilities after a row (tokens,) of what is read or gone on from, without any cache."""
    return next_logits(model, row[None, :tokens], row[None, tokens:])[0].log_softmax(-1)


def next_logits(model: Any, ids: Tensor, written: Tensor) -> Tensor:
    with torch.no_grad():
        if hasattr(model, "decode"):
            start = torch.full((len(ids), 1), model.start_token)
            features = model.decode(torch.cat([start, written], 1), model.forward_features(ids))
        else:
            features = model.forward_features(torch.cat([ids, written], 1))
        return model.lm_logits(features[:, -1]).float()


def greedy(model: Any, ids: Tensor, count: int) -> list[list[int]]:
    """Write the plain way: the whole text again for each token, the likeliest one but padding taken."""
    written = torch.zeros(len(ids), 0, dtype=torch.long)
    for _ in range(count):
        logits = next_logits(model, ids, written)
        logits[:, 0] = -torch.inf
        written = torch.cat([written, logits.argmax(1, keepdim=True)], 1)
    return written.tolist()


@pytest.mark.parametrize("name", NAMES)
def test_a_cache_changes_nothing(writers: Any, ids: Tensor, name: str) -> None:
    model = writers(name, vocab_size=40)
    found = said(model, ids)
    assert found == greedy(model, ids, 20)
    assert len({tuple(row) for row in found}) > 1


@pytest.mark.parametrize("asked", [{}, {"temperature": 1.0, "seed": 3}, {"beams": 3}, {"repetition_penalty": 1.5}])
@pytest.mark.parametrize("name", NAMES)
def test_padding_and_company_change_nothing(writers: Any, ids: Tensor, name: str, asked: dict[str, Any]) -> None:
    model = writers(name, vocab_size=40)
    lengths = (9, 4, 1, 6)
    sides = [(9 - length, 0) if name == "continuing" else (0, 9 - length) for length in lengths]
    rows = [row[:length] for row, length in zip(ids, lengths, strict=True)]
    batch = torch.stack([F.pad(row, side) for row, side in zip(rows, sides, strict=True)])
    mask = torch.stack([F.pad(torch.ones_like(row), side) for row, side in zip(rows, sides, strict=True)])
    together = said(model, batch, mask, **asked)
    if "temperature" in asked:  # a row draws by its place
        assert together[0] == said(model, rows[0][None], **asked)[0]
        assert together != said(model, batch, mask, temperature=1.0, seed=4)
    else:
        assert together == [said(model, row[None], **asked)[0] for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_row_that_has_ended_leaves_the_others_alone(writers: Any, ids: Tensor, name: str) -> None:
    model = writers(name, vocab_size=40)
    whole = said(model, ids)
    for end in {token for row in whole for token in row}:
        cut = [row[: row.index(end)] if end in row else row for row in whole]
        assert said(model, ids, end=(end,)) == cut


@pytest.mark.parametrize("asked", [{}, {"temperature": 1.0, "seed": 3}, {"beams": 3}, {"repetition_penalty": 1.5}])
@pytest.mark.parametrize("name", NAMES)
def test_rows_that_have_ended_are_left_out_and_nothing_else_changes(
    writers: Any, name: str, asked: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = writers(name, vocab_size=300)
    ids = torch.randint(1, 300, (12, 5), generator=torch.Generator().manual_seed(1))
    mask = (torch.arange(5) >= torch.arange(12)[:, None] % 3).long()
    if name == "reading":
        ids, mask = ids.flip(1), mask.flip(1)
    decoding = Decoding(**{"max_new_tokens": 30, **asked})
    free = generate_ids(model, ids, mask, decoding, end=frozenset(), pad=0)
    ends = frozenset(row[place] for place, row in enumerate(free[2:]) if row[place] not in row[:place])
    alone = []
    for place, (row, seen) in enumerate(zip(ids, mask, strict=True)):
        one = [Row(ends)]
        for _ in write(model, row[None, seen > 0], None, decoding, one, names=[place], banned=frozenset({0})):
            pass
        alone.append(one[0].ids)
    assert len({len(row) for row in alone}) > 2, "they end one after the other"
    computed, inside = [], model.lm_logits
    monkeypatch.setattr(model, "lm_logits", lambda features: computed.append(len(features)) or inside(features))
    assert generate_ids(model, ids, mask, decoding, end=ends, pad=0) == alone
    assert computed[1:] == sorted(computed[1:], reverse=True) and computed[-1] <= computed[1] / 2


def test_writing_ends_with_the_last_row(writers: Any, ids: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    model = writers("continuing", vocab_size=40)
    calls = []
    monkeypatch.setattr(model, "lm_logits", lambda features: calls.append(1) or torch.eye(40)[[7] * len(features)])
    assert said(model, ids, end=(7,)) == [[], [], [], []]
    assert len(calls) == 1


def test_padding_is_never_written(writers: Any, ids: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    model = writers("continuing", vocab_size=40)
    monkeypatch.setattr(model, "lm_logits", lambda features: torch.eye(40)[[0] * len(features)] + torch.eye(40)[5] / 2)
    assert said(model, ids, max_new_tokens=3) == [[5, 5, 5]] * 4
    assert said(model, ids, max_new_tokens=3, end=(0,)) == [[], [], [], []], "unless it is the end as well"


@pytest.mark.parametrize("length_penalty", [1.0, 0.0, 2.0])
@pytest.mark.parametrize("name", NAMES)
def test_enough_beams_find_the_likeliest_text(writers: Any, ids: Tensor, name: str, length_penalty: float) -> None:
    """With as many beams as there are texts nothing is missed: three tokens and an end make 4 + 9 + 27 … texts."""
    model, end, count = writers(name, vocab_size=5), 4, 4
    rows = ids % 4 + 1
    found = said(model, rows, beams=200, max_new_tokens=count, end=(end,), length_penalty=length_penalty)
    for row, written in zip(rows, found, strict=True):
        best: dict[tuple[int, ...], float] = {}
        for length in range(1, count + 1):
            for text in itertools.product((1, 2, 3), repeat=length - 1):
                for last in (end,) if length < count else (1, 2, 3, end):
                    tokens = torch.tensor([*text, last])
                    logs = [
                        expected(model, torch.cat([row, tokens[:place]]), len(row))[tokens[place]]
                        for place in range(length)
                    ]
                    best[tuple(tokens.tolist())] = float(sum(logs)) / length**length_penalty
        wanted = max(best, key=lambda text: best[text])
        assert written == [token for token in wanted if token != end]


def test_one_beam_is_greedy_and_more_are_no_worse(writers: Any, ids: Tensor) -> None:
    model = writers("continuing", vocab_size=40)

    def score(rows: list[list[int]]) -> list[float]:
        total = []
        for row, written in zip(ids, rows, strict=True):
            logs = [
                expected(model, torch.cat([row, torch.tensor(written[:place], dtype=torch.long)]), 9)[token]
                for place, token in enumerate(written)
            ]
            total.append(float(sum(logs)))
        return total

    one, several = said(model, ids, beams=1, max_new_tokens=8), said(model, ids, beams=8, max_new_tokens=8)
    assert one == greedy(model, ids, 8)
    assert all(more >= less - 1e-4 for more, less in zip(score(several), score(one), strict=True))
    assert one != several


@pytest.mark.parametrize("beams", [1, 3])
def test_stop_strings(writers: Any, ids: Tensor, beams: int) -> None:
    tokenizer = make_tokenizer("characters", ["abcdefghijklmnopqrstuvwxyz"])
    model = writers("continuing", vocab_size=tokenizer.num_tokens)

    def text(*stop: str) -> str:
        asked = Decoding(beams=beams, max_new_tokens=30, stop=stop)
        (row,) = generate_ids(model, ids[:1] % 30, None, asked, end=frozenset({3}), pad=0, tokenizer=tokenizer)
        return tokenizer.decode(row)

    whole = text()
    assert len(whole) > 20
    for start in range(3):
        stop = whole[start : start + 2]
        cut = text(stop)
        assert stop not in cut[:-1] and len(cut) <= 30
        if beams == 1:
            assert cut == whole[: whole.index(stop) + 2], "it ends with the letter that completes it"
    assert any(text(letter).endswith(letter) for letter in whole[:3])


def test_a_prompt_beyond_the_context_is_cut_and_said(
    writers: Any, ids: Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zoo")
    model = writers("continuing", vocab_size=40, context=12)
    assert said(model, ids, max_new_tokens=3) and not caplog.records
    cut = said(model, ids, max_new_tokens=8)
    assert [record.getMessage() for record in caplog.records] == [
        "prompt of 9 tokens truncated to the last 4: the context is 12"
    ]
    assert cut == said(model, ids[:, -4:], max_new_tokens=8)
    with pytest.raises(UsageError, match="12 new tokens leave no room .* context of 12; set max_new_tokens=6"):
        said(model, ids, max_new_tokens=12)


def test_a_text_to_read_beyond_the_context_is_cut_and_said(
    writers: Any, ids: Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "zoo")
    model = writers("reading", vocab_size=40, context=6)
    assert said(model, ids, max_new_tokens=6) == said(model, ids[:, :6], max_new_tokens=6)
    assert [record.getMessage() for record in caplog.records] == [
        "prompt of 9 tokens truncated to the first 6: the context is 6"
    ]
    with pytest.raises(UsageError, match="7 new tokens leave no room"):
        said(model, ids, max_new_tokens=7)


def test_the_model_is_left_as_it_was(writers: Any, ids: Tensor) -> None:
    model = writers("continuing", vocab_size=40)
    model.train()
    said(model, ids, max_new_tokens=2)
    assert model.training and torch.is_grad_enabled()
