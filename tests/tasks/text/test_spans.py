"""Spans that are taken out and written: nothing is lost, and shapes never change."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import zoo
from zoo.tasks.text.spans import cut_spans

FIRST = 1000


def together(read: list[int], written: list[int]) -> list[int]:
    """Put the spans back in place of the tokens that stand for them."""
    spans: dict[int, list[int]] = {}
    for token in written:
        if token >= FIRST:
            spans[token] = current = []
        else:
            current.append(token)
    return [token for place in read for token in (spans[place] if place >= FIRST else [place])]


@settings(max_examples=60, deadline=None)
@given(
    length=st.integers(2, 60),
    batch=st.integers(1, 5),
    share=st.floats(0.05, 0.9),
    span_length=st.floats(1, 6),
    seed=st.integers(0, 99),
)
def test_what_is_read_and_what_is_written_are_the_text(
    length: int, batch: int, share: float, span_length: float, seed: int
) -> None:
    ids = torch.arange(length).repeat(batch, 1)
    draws = zoo.Draws(seed, 0, torch.arange(batch))
    cut = cut_spans(ids, draws, share=share, span_length=span_length, first=FIRST)
    noise = min(max(1, round(length * share)), length - 1)
    for read, written, kept in zip(cut.read.tolist(), cut.target_ids.tolist(), cut.kept.tolist(), strict=True):
        assert together(read, written) == list(range(length))
        marks = [token for token in read if token >= FIRST]
        assert marks == [token for token in written if token >= FIRST] == list(range(FIRST, FIRST + len(marks)))
        assert len(written) - len(marks) == noise
        assert all(place == token for place, token in zip(kept, read, strict=True) if token < FIRST)


def test_windows_are_cut_in_other_places() -> None:
    ids = torch.arange(40).repeat(6, 1)
    cut = cut_spans(ids, zoo.Draws(0, 0, torch.arange(6)), share=0.15, span_length=3, first=FIRST)
    assert len({tuple(row) for row in cut.read.tolist()}) == 6
