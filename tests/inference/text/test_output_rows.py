"""Text from tokens that come one by one: never half a character, whole in the end, cut at stop strings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.errors import UsageError
from zoo.inference.text.output_rows import IncrementalDecoder, Row
from zoo.weights.tokenizer import Tokenizer
from zoo.weights.tokenizer_training import make_tokenizer

TEXTS = ["the bear's bowl, naïve 猫 😀", "two bears — one bowl", "und so weiter, ähnlich wie zuvor"] * 5
MADE = {kind: make_tokenizer(kind, TEXTS, size=400) for kind in ("bytes", "characters", "bpe", "unigram")}
WORDS = st.lists(
    st.sampled_from(["bear", " bear", "naïve", "猫", "😀", " ", "ä", "—", "\n", "x", "bowl "]), max_size=12
)


def tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    return tokenizer.encode([text], special=False)[0].ids


def told(row: Row, ids: list[int]) -> list[str]:
    pieces = []
    for token in ids:
        if not row.ended:
            row.take(token)
            pieces.append(row.new_text())
    return [*pieces, row.new_text(last=True)]


@pytest.mark.parametrize("kind", MADE)
@given(words=WORDS, before=WORDS)
def test_pieces_make_up_the_text(kind: str, words: list[str], before: list[str]) -> None:
    tokenizer = MADE[kind]
    first, ids = tokens(tokenizer, "".join(before)), tokens(tokenizer, "".join(words))
    pieces = IncrementalDecoder(tokenizer, first)
    found = [*map(pieces.add, ids), pieces.finish()]
    whole, begun = tokenizer.decode([*first, *ids]), tokenizer.decode(first)
    if whole.startswith(begun):  # Unigram may lose a space at the very end of what was before
        assert "".join(found) == whole[len(begun) :]
    if kind != "unigram":
        assert not any("\ufffd" in piece for piece in found)


def test_half_a_character_waits_for_the_rest() -> None:
    tokenizer = MADE["bytes"]
    pieces = IncrementalDecoder(tokenizer)
    assert [pieces.add(token) for token in tokens(tokenizer, "a😀b")] == ["a", "", "", "", "😀", "b"]
    assert pieces.add(tokens(tokenizer, "😀")[0]) == ""
    assert pieces.finish() == "\ufffd"


def test_a_space_before_the_first_new_word_stays() -> None:
    tokenizer = MADE["unigram"]
    first = tokens(tokenizer, "two")
    row = Row(frozenset(), tokenizer, first)
    assert "".join(told(row, tokens(tokenizer, "two bears")[len(first) :])) == " bears"


@pytest.mark.parametrize("kind", ["bytes", "bpe"])
@pytest.mark.parametrize("stop", ["ear", "b", "bear bo", " "])
def test_a_stop_string_ends_a_row_wherever_tokens_do(kind: str, stop: str) -> None:
    tokenizer = MADE[kind]
    text = "one bear bowl"
    row = Row(frozenset(), tokenizer, stop=(stop,))
    pieces = told(row, tokens(tokenizer, text))
    assert "".join(pieces) == text[: text.index(stop)]
    assert row.ended and stop not in tokenizer.decode(row.ids[:-1])


@given(
    text=st.text("ab", min_size=1, max_size=14),
    stops=st.lists(st.text("ab", min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_nothing_is_told_that_a_stop_string_takes_back(text: str, stops: list[str]) -> None:
    tokenizer = MADE["bytes"]
    row = Row(frozenset(), tokenizer, stop=tuple(stops))
    found = "".join(told(row, tokens(tokenizer, text)))
    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    taken = text[: min(ends)] if ends else text  # a row ends with the letter that completes a stop string
    assert found == taken[: min((taken.find(stop) for stop in stops if stop in taken), default=len(taken))]


def test_the_end_token_ends_a_row_and_is_not_in_it() -> None:
    row = Row(frozenset({7, 9}))
    for token in (1, 2, 9):
        row.take(token)
    assert (row.ids, row.ended) == ([1, 2], True)


def test_half_a_character_before_the_end_is_shown() -> None:
    row = Row(frozenset({3}), MADE["bytes"])
    assert told(row, [*tokens(MADE["bytes"], "a😀")[:-1], 3]) == ["a", "", "", "", "", "\ufffd"]
    assert row.ended


def test_stop_strings_take_a_tokenizer() -> None:
    with pytest.raises(UsageError, match="give the tokenizer"):
        Row(frozenset(), stop=("x",))
