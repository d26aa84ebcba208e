"""What a model expects next, step by step: behind a prompt, or as a text of its own about one that it has read."""

from typing import Any, Protocol

import torch
from torch import Tensor

from zoo.specs.backbones import Cache, EncoderDecoder


class Steps(Protocol):
    """The rows that a model writes, which it keeps in a cache sized once."""

    written: Tensor
    """The tokens (rows, tokens) that what is chosen stands behind."""

    @property
    def written_mask(self) -> Tensor | None:
        """Which of them are text; None where all are."""
        ...

    def first(self) -> Tensor:
        """Return logits (rows, vocab_size) of each row's first token."""
        ...

    def next(self, tokens: Tensor) -> Tensor:
        """Return logits of the tokens behind these (rows,)."""
        ...

    def repeat(self, times: int) -> None:
        """Go on with every row so many times, side by side."""
        ...

    def select(self, rows: Tensor) -> None:
        """Go on with these rows, in this order; each takes the place of one of the same text."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone, in this order, whichever texts they are of."""
        ...


def steps_of(model: Any, input_ids: Tensor, attention_mask: Tensor | None, max_new_tokens: int) -> Steps:
    """Return what a model writes of a batch of prompts, or of texts to read; padding is where the mask is 0."""
    if attention_mask is not None and bool(attention_mask.all()):
        attention_mask = None  # attention without a mask is faster
    kind: type[WrittenText | ContinuedText] = WrittenText if isinstance(model, EncoderDecoder) else ContinuedText
    return kind(model, input_ids, attention_mask, max_new_tokens)


def few_go_on(going: int, rows: int) -> bool:
    """Tell whether it pays to leave ended rows out, which costs a copy of the cache of those that go on."""
    return 2 * going <= rows


class ContinuedText:
    """A causal model that goes on with prompts, padded on the left."""

    def __init__(self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, max_new_tokens: int) -> None:
        self._model = model
        self.written = input_ids
        self.written_mask = attention_mask
        self.cache: Cache = model.new_cache(input_ids.shape[1] + max_new_tokens)
        self._mask = None
        if attention_mask is not None:
            self._mask = torch.cat([attention_mask, attention_mask.new_ones(len(input_ids), max_new_tokens)], 1)

    def first(self) -> Tensor:
        return self._logits(self.written)

    def next(self, tokens: Tensor) -> Tensor:
        return self._logits(tokens[:, None])

    def _logits(self, ids: Tensor) -> Tensor:
        mask = None if self._mask is None else self._mask[:, : self.cache.length + ids.shape[1]]
        features = self._model.forward_features(ids, mask, cache=self.cache)
        logits: Tensor = self._model.lm_logits(features[:, -1])
        return logits.float()

    def repeat(self, times: int) -> None:
        self.cache.select(_side_by_side(self.written, times))
        if self._mask is not None:
            self._mask = self._mask.repeat_interleave(times, 0)

    def select(self, rows: Tensor) -> None:
        self.cache.select(rows)  # the prompt, and its mask, are those of the same text

    def keep(self, rows: Tensor) -> None:
        self.cache.select(rows)
        if self._mask is not None:
            self._mask = self._mask[rows]


class WrittenText:
    """A model that has read texts, once, and writes others from its start token on."""

    def __init__(self, model: Any, input_ids: Tensor, attention_mask: Tensor | None, max_new_tokens: int) -> None:
        self._model = model
        self._memory = model.forward_features(input_ids, attention_mask)
        self._mask = attention_mask
        self.written = input_ids.new_full((len(input_ids), 1), model.start_token)
        self.written_mask = None
        self.cache: Cache = model.new_cache(max_new_tokens)

    def first(self) -> Tensor:
        return self.next(self.written[:, 0])

    def next(self, tokens: Tensor) -> Tensor:
        features = self._model.decode(tokens[:, None], self._memory, self._mask, cache=self.cache)
        logits: Tensor = self._model.lm_logits(features[:, -1])
        return logits.float()

    def repeat(self, times: int) -> None:
        self.cache.select(_side_by_side(self.written, times))
        self._memory = self._memory.repeat_interleave(times, 0)
        if self._mask is not None:
            self._mask = self._mask.repeat_interleave(times, 0)

    def select(self, rows: Tensor) -> None:
        self.cache.select(rows)  # what was read is the same for all rows of a text

    def keep(self, rows: Tensor) -> None:
        self.cache.select(rows)
        self._memory = self._memory[rows]
        if self._mask is not None:
            self._mask = self._mask[rows]


def _side_by_side(rows: Tensor, times: int) -> Tensor:
    return torch.arange(len(rows), device=rows.device).repeat_interleave(times)
