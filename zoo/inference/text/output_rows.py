"""What is written in a row: its tokens, and its text as far as it is complete, up to an end token or a stop string."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.errors import UsageError

if TYPE_CHECKING:
    from zoo.weights.tokenizer import Tokenizer

_INCOMPLETE = "\ufffd"
"""What a tokenizer gives for the bytes of half a character."""
_BEFORE = 6
"""So many tokens before new ones decide how those read: with or without a space before them."""


class IncrementalDecoder:
    """Gives the text of tokens that come one by one, none of it before its characters are complete.

    `before` are the tokens that the text goes on from.
    """

    def __init__(self, tokenizer: "Tokenizer", before: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        self._ids = list(before[-_BEFORE:])
        self._start = 0
        self._told = len(self._ids)

    def add(self, token: int) -> str:
        """Return the text that this token completes."""
        self._ids.append(token)
        return self._new(complete=True)

    def finish(self) -> str:
        """Return what is left, half characters as they are shown."""
        return self._new(complete=False)

    def _new(self, *, complete: bool) -> str:
        """Read a few tokens again, together with the new ones: they decide how those read."""
        before = self._tokenizer.decode(self._ids[self._start : self._told])
        text = self._tokenizer.decode(self._ids[self._start :])
        if len(text) <= len(before) or (complete and text.endswith(_INCOMPLETE)):
            return ""
        self._start, self._told = self._told, len(self._ids)
        return text[len(before) :]


class Row:
    """The tokens of one row, without the end token, and its text, without the stop string."""

    def __init__(
        self,
        end: frozenset[int],
        tokenizer: "Tokenizer | None" = None,
        before: Sequence[int] = (),
        stop: tuple[str, ...] = (),
    ) -> None:
        if stop and tokenizer is None:
            raise UsageError("stop strings are looked for in text; give the tokenizer that makes it")
        self.ids: list[int] = []
        self.ended = False
        self.end = end
        self._tokenizer, self._before = tokenizer, before
        self._stop = stop
        self._pieces = None if tokenizer is None else IncrementalDecoder(tokenizer, before)
        self._stopped = False
        self._read = 0
        self._text = ""

    def take(self, token: int) -> None:
        """Go on with a token, unless it is the end."""
        if token in self.end:
            self.ended = True
            return
        self.ids.append(token)
        if self._stop:
            self._look()

    def would_stop(self, ids: Sequence[int]) -> bool:
        """Tell whether these tokens, in place of what is written, would hold a stop string."""
        fresh = Row(self.end, self._tokenizer, self._before, self._stop)
        for token in ids:
            fresh.take(token)
        return fresh.ended

    def new_text(self, *, last: bool = False) -> str:
        """Return the text that is new since this was asked before and will stay; with `last` all of it."""
        self._look()
        if last and not self._stopped and self._pieces is not None:
            self._text += self._pieces.finish()
            self._cut()
        keep = 0 if last or self.ended else max((_overlap(self._text, stop) for stop in self._stop), default=0)
        new_text, self._text = self._text[: len(self._text) - keep], self._text[len(self._text) - keep :]
        return new_text

    def _look(self) -> None:
        """Read the tokens that are new, and end at a stop string among them."""
        assert self._pieces is not None, "text is asked of rows that have a tokenizer"
        for token in self.ids[self._read :]:
            self._text += self._pieces.add(token)
        self._read = len(self.ids)
        self._cut()

    def _cut(self) -> None:
        found = [place for stop in self._stop if (place := self._text.find(stop)) >= 0]
        if found:
            self._text = self._text[: min(found)]
            self.ended = self._stopped = True


def _overlap(text: str, stop: str) -> int:
    """Return how many of the last letters of a text begin a stop string."""
    return next((count for count in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:count])), 0)
