"""How the next tokens are chosen: the one greedy choice, several beams, or draws."""

import math
from dataclasses import dataclass, fields
from typing import Any, TypedDict

from zoo.errors import UsageError

_BOUNDS: dict[str, tuple[type, float, float]] = {
    "max_new_tokens": (int, 1, 1_000_000),
    "beams": (int, 1, 1000),
    "temperature": (float, 0, 1000),
    "top_k": (int, 0, 16_777_216),
    "top_p": (float, 0, 1),
    "repetition_penalty": (float, 0, 1000),
    "length_penalty": (float, -100, 100),
    "seed": (int, 0, 2**63 - 1),
}
_ABOVE = ("top_p", "repetition_penalty")
"""What must be more than its lower bound."""


class DecodingOptions(TypedDict, total=False):
    """The fields of `Decoding`, as keyword arguments."""

    max_new_tokens: int
    beams: int
    temperature: float
    top_k: int
    top_p: float
    repetition_penalty: float
    length_penalty: float
    stop: tuple[str, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How a text is written, token by token. Raise UsageError for values out of bounds or that contradict each other.

    `beams` above 1 search for the text of the highest log-probability over its length to the power of
    `length_penalty`. A `temperature` above 0 draws tokens, from the `top_k` likeliest ones (0: all), and of those from
    the fewest that have `top_p` of the probability (Holtzman et al., 2020); `seed` decides the draws.
    `repetition_penalty` makes tokens that are there already less likely (Keskar et al., 2019). Writing ends with one of
    the `stop` strings, which are not part of the text.
    """

    max_new_tokens: int = 128
    beams: int = 1
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    length_penalty: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        for name, bounds in _BOUNDS.items():
            _check(name, getattr(self, name), *bounds)
        stop: Any = self.stop
        if not isinstance(stop, (tuple, list)) or not all(isinstance(text, str) and text for text in stop):
            raise UsageError(f"stop is {stop!r}; give a tuple of texts, none of them empty")
        object.__setattr__(self, "stop", tuple(stop))
        if self.beams > 1 and self.temperature > 0:
            raise UsageError(
                f"{self.beams} beams and temperature={self.temperature:g} contradict each other; choose one of the two"
            )
        if self.temperature == 0 and (self.top_k or self.top_p < 1):
            raise UsageError(
                "top_k and top_p apply to sampling, and temperature 0 is greedy; set a temperature, such as 0.8"
            )
        if self.beams == 1 and self.length_penalty != 1:
            raise UsageError("length_penalty applies to beam search; set beams=4, or omit it")

    @property
    def draws(self) -> bool:
        """Tell whether chance has a say."""
        return self.temperature > 0


def _check(name: str, value: Any, kind: type, low: float, high: float) -> None:
    fits = isinstance(value, int) if kind is int else isinstance(value, (int, float))
    if not fits or isinstance(value, bool) or not math.isfinite(value):
        raise UsageError(f"{name} is {value!r}; give {'a whole number' if kind is int else 'a number'}")
    if not low <= value <= high or (name in _ABOVE and value == low):
        above = "more than " if name in _ABOVE else ""
        raise UsageError(f"{name} is {value:,}; give {above}{low:,} to {high:,}")


assert set(DecodingOptions.__annotations__) == {item.name for item in fields(Decoding)}
