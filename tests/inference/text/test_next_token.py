"""The next token: drawn as often as it is likely, from as many as were asked for, alike in any company."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.next_token import NextToken, Penalty


def logits(rows: int, tokens: int = 12, seed: int = 0) -> Tensor:
    return 2 * torch.randn(rows, tokens, generator=torch.Generator().manual_seed(seed))


def drawn(given: Tensor, names: range | list[int] | None = None, **asked: Any) -> list[int]:
    choice = NextToken(Decoding(**{"temperature": 1.0, **asked}), range(len(given)) if names is None else names)
    return choice(given).tolist()


@pytest.mark.parametrize(
    "asked", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-4}, {"top_k": 3, "top_p": 1e-9}]
)
def test_the_likeliest_token(asked: dict[str, Any]) -> None:
    rows = logits(50)
    assert drawn(rows, **asked) == rows.argmax(1).tolist()


@pytest.mark.parametrize("asked", [{}, {"top_k": 12}, {"top_k": 100}, {"top_p": 0.999999}, {"temperature": 2.0}])
def test_tokens_are_drawn_as_often_as_they_are_likely(asked: dict[str, Any]) -> None:
    rows = logits(1, 5).expand(6000, -1)
    wanted = (rows[0] / asked.get("temperature", 1.0)).softmax(0)
    counts = torch.bincount(torch.tensor(drawn(rows, **asked)), minlength=5)
    assert torch.allclose(counts / 6000, wanted, atol=0.02)


@given(seed=st.integers(0, 1000), top_k=st.integers(0, 14), top_p=st.floats(0.01, 1.0))
def test_no_token_is_drawn_that_was_not_asked_for(seed: int, top_k: int, top_p: float) -> None:
    row = logits(1, seed=seed)
    found = set(drawn(row.expand(40, -1), top_k=top_k, top_p=top_p, seed=seed))
    order = row[0].argsort(descending=True)[: top_k or None]
    probabilities = row[0][order].double().softmax(0)
    needed = next(
        (n for n in range(1, len(order) + 1) if probabilities[:n].sum() >= top_p - 1e-9), len(order)
    )  # the fewest that have top_p between them
    assert found <= set(order[:needed].tolist())


def test_what_cannot_be_is_never_drawn() -> None:
    row = torch.tensor([[-torch.inf, 0.0, -torch.inf, 0.0, -torch.inf]])
    assert set(drawn(row.expand(500, -1))) == {1, 3}


def test_a_row_draws_the_same_in_any_company() -> None:
    rows = logits(6)
    alone = [drawn(rows[place : place + 1], [place])[0] for place in range(6)]
    assert drawn(rows) == alone
    assert drawn(rows.flip(0), list(range(5, -1, -1))) == alone[::-1]


def test_the_seed_decides() -> None:
    rows = logits(60)
    assert drawn(rows, seed=1) == drawn(rows, seed=1) != drawn(rows, seed=2)


def test_each_step_draws_anew() -> None:
    row = torch.zeros(1, 1000)
    choice = NextToken(Decoding(temperature=1.0), [0])
    assert len({int(choice(row)) for _ in range(20)}) > 15


def test_a_penalty_makes_what_is_there_less_likely() -> None:
    given = torch.tensor([[2.0, -2.0, 1.0, -1.0, 3.0]] * 2)
    ids, mask = torch.tensor([[0, 1, 4], [0, 1, 1]]), torch.tensor([[1, 1, 1], [0, 1, 1]])
    penalty = Penalty(2.0, ids, mask)
    assert penalty(given).tolist() == [[1.0, -4.0, 1.0, -1.0, 1.5], [2.0, -4.0, 1.0, -1.0, 3.0]]
    penalty.saw(torch.tensor([2, 3]))
    assert penalty(given).tolist() == [[1.0, -4.0, 0.5, -1.0, 1.5], [2.0, -4.0, 1.0, -2.0, 3.0]]
    penalty.select(torch.tensor([1, 1]))
    assert penalty(given).tolist() == [[2.0, -4.0, 1.0, -2.0, 3.0]] * 2


def test_no_penalty_changes_nothing() -> None:
    given = logits(2)
    assert Penalty(1.0, torch.zeros(2, 3, dtype=torch.long), None)(given) is given
