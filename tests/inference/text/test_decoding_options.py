"""What can be asked of generation, within bounds and free of contradictions."""

import pytest

from zoo.errors import UsageError
from zoo.inference.text.decoding_options import Decoding


@pytest.mark.parametrize(
    ("asked", "bounds"),
    [
        ({"max_new_tokens": 0}, "give 1 to 1,000,000"),
        ({"max_new_tokens": 2.0}, "give a whole number"),
        ({"max_new_tokens": True}, "give a whole number"),
        ({"beams": 0}, "give 1 to 1,000"),
        ({"temperature": -0.1}, "give 0 to 1,000"),
        ({"temperature": float("nan")}, "give a number"),
        ({"temperature": "hot"}, "give a number"),
        ({"top_k": -1}, "give 0 to"),
        ({"top_p": 0.0}, "give more than 0 to 1"),
        ({"top_p": 1.01}, "give more than 0 to 1"),
        ({"repetition_penalty": 0}, "give more than 0 to 1,000"),
        ({"length_penalty": 101}, "give -100 to 100"),
        ({"seed": -1}, "give 0 to"),
        ({"stop": "x"}, "give a tuple of texts"),
        ({"stop": ("",)}, "none of them empty"),
    ],
)
def test_out_of_bounds(asked: dict[str, object], bounds: str) -> None:
    with pytest.raises(UsageError, match=bounds) as caught:
        Decoding(**asked)  # type: ignore[arg-type]
    assert next(iter(asked)) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"beams": 4, "temperature": 0.5}, "4 beams and temperature=0.5 contradict each other"),
        ({"top_k": 5}, "temperature 0 is greedy"),
        ({"top_p": 0.9}, "temperature 0 is greedy"),
        ({"length_penalty": 2.0}, "set beams=4"),
    ],
)
def test_contradictions(asked: dict[str, float], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Decoding(**asked)  # type: ignore[arg-type]


def test_a_list_of_stop_strings_becomes_a_tuple() -> None:
    assert Decoding(stop=["a", "b"]).stop == ("a", "b")  # type: ignore[arg-type]
