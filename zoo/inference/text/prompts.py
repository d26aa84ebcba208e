"""Texts as tokens for a model that is to write, or to embed them: cut where they are too long, and padded."""

import logging
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from zoo.errors import DataError, UsageError
from zoo.weights.tokenizer import Tokenizer

Form = Literal["continued", "answered", "read", "embedded"]
"""What becomes of a text: a causal model goes on with it, or answers it behind an end token, as it was trained to
translate; an encoder-decoder reads it; it becomes a vector."""

_SPARE = 16

_log = logging.getLogger("zoo")


@dataclass(frozen=True)
class Prompts:
    """Makes tokens of texts, in the form that the model was trained on."""

    tokenizer: Tokenizer
    form: Form

    def ids(self, texts: Sequence[str], room: int, *, special: bool = True) -> list[list[int]]:
        """Return at most `room` tokens for each text, and say how many were too long.

        What is continued keeps its last tokens, everything else its first ones. An empty text begins with the end
        token, behind which texts begin, or with the one that begins them.
        """
        near = [self._near(text, room) for text in texts]
        encoded = [list(encoding.ids) for encoding in self.tokenizer.encode(near, special=special)]
        fitted = [self._formed(ids, room) for ids in encoded]
        cut = sum(
            len(text) > len(kept) or count > room for text, kept, (_, count) in zip(texts, near, fitted, strict=True)
        )
        if cut:
            side = "last" if self.form == "continued" else "first"
            _log.info("%d of %d texts are truncated to the %s %d tokens", cut, len(texts), side, room)
        return [ids for ids, _ in fitted]

    def _formed(self, ids: list[int], room: int) -> tuple[list[int], int]:
        """Return the tokens that a model gets, and how many it would get had it room for all."""
        end = self.tokenizer.role("end")
        if self.form == "embedded":
            if len(ids) > room:
                last = ids[-1] in self.tokenizer.special
                return (ids[: room - 1] + ids[-1:] if last else ids[:room]), len(ids)
            return ids or [self._start()], len(ids)
        while ids and ids[-1] == end:
            ids.pop()
        if self.form == "continued":
            return ids[-room:] or [self._start()], len(ids)
        return [*ids[: room - 1], self.tokenizer.needed("end")], len(ids) + 1

    def _start(self) -> int:
        found = next((token for role in ("end", "begin") if (token := self.tokenizer.role(role)) is not None), None)
        if found is None:
            raise UsageError("the text is empty, and this tokenizer has no start token; give some text")
        return found

    def _near(self, text: str, room: int) -> str:
        """Return the part of a text from which its tokens come: of megabytes, only what can be used is tokenised."""
        if len(text) <= room or len(text) <= (maximum := (room + _SPARE) * self._longest):
            return text
        return text[-maximum:] if self.form == "continued" else text[:maximum]

    @cached_property
    def _longest(self) -> int:
        """The letters of the longest token."""
        return max(map(len, self.tokenizer.inner.get_vocab(with_added_tokens=True)))


def padded(rows: Sequence[Sequence[int]], pad: int, *, left: bool, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return rows of tokens as a batch (rows, tokens), and a mask that is 0 where it is padding."""
    maximum = max(map(len, rows))
    spaces = [[pad] * (maximum - len(row)) for row in rows]
    blank = [[0] * len(space) for space in spaces]
    ones = [[1] * len(row) for row in rows]
    ids = [[*space, *row] if left else [*row, *space] for row, space in zip(rows, spaces, strict=True)]
    mask = [[*space, *row] if left else [*row, *space] for row, space in zip(ones, blank, strict=True)]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)


def by_length(rows: Sequence[Sized], batch_size: int) -> list[list[int]]:
    """Return batches of the places of rows, or texts, those of similar length together, so that little is padding."""
    if batch_size < 1:
        raise UsageError(f"batch_size is {batch_size}; give 1 or more")
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def checked(texts: str | Sequence[str]) -> list[str]:
    """Return texts as a list. Raise UsageError for anything else, and DataError for letters that UTF-8 has not."""
    several = [texts] if isinstance(texts, str) else list(texts)
    for text in several:
        if not isinstance(text, str):
            raise UsageError(f"{type(text).__name__} is not text; give a str, or a list of str")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"a text is not UTF-8 at character {error.start:,}; convert it, for example with iconv"
            ) from None
    return several
