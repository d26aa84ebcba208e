"""The next token of every row, chosen from logits: penalised, the likeliest, or drawn."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.inference.text.decoding_options import Decoding
from zoo.seeds import generator

NO_NUMBERS = (
    "the model makes NaN or infinity of this text: its weights are broken, or too coarse; `zoo verify` tells, and "
    "--dtype float32 is the finest"
)


def without_numbers(logits: Tensor) -> Tensor:
    """Return which rows (rows,) of logits hold NaN, or nothing that could be chosen."""
    return ~logits.amax(-1).isfinite()


class Penalty:
    """Makes tokens that a row has already less likely (Keskar et al., 2019); 1 changes nothing."""

    def __init__(self, strength: float, input_ids: Tensor, attention_mask: Tensor | None) -> None:
        self._strength = strength
        self._ids, self._mask = input_ids, attention_mask
        self._seen: Tensor | None = None

    def __call__(self, logits: Tensor) -> Tensor:
        """Return logits (rows, vocab_size), or logarithms of probabilities, of the next token."""
        if self._strength == 1:
            return logits
        if self._seen is None:
            real = torch.ones_like(self._ids) if self._mask is None else self._mask
            counts = logits.new_zeros(len(self._ids), logits.shape[1])
            self._seen = counts.scatter_add_(1, self._ids, real.to(logits.dtype)) > 0
        less = torch.where(logits < 0, logits * self._strength, logits / self._strength)
        return torch.where(self._seen, less, logits)

    def saw(self, tokens: Tensor) -> None:
        """Take up the token (rows,) that each row goes on with."""
        if self._seen is not None:
            self._seen.scatter_(1, tokens[:, None], True)

    def repeat(self, times: int) -> None:
        """Go on with every row so many times, side by side."""
        self._ids = self._ids.repeat_interleave(times, 0)
        self._mask = None if self._mask is None else self._mask.repeat_interleave(times, 0)

    def select(self, rows: Tensor) -> None:
        """Go on with these rows, in this order."""
        if self._seen is not None:
            self._seen = self._seen[rows]


class NextToken:
    """Chooses the next token of every row, the likeliest or one that is drawn.

    Each row has numbers of its own, by its name in `rows`, so that it draws the same in any company.
    """

    def __init__(self, decoding: Decoding, rows: Sequence[int]) -> None:
        self._decoding = decoding
        self._drawn = self._numbers(rows) if decoding.draws else None
        self._step = 0

    def __call__(self, logits: Tensor) -> Tensor:
        """Return tokens (rows,) for logits (rows, vocab_size)."""
        if self._drawn is None:
            return logits.argmax(-1)
        values, tokens = self._kept(logits)
        # probabilities in double precision: the sum over a large vocabulary decides
        probabilities = (values.double() / self._decoding.temperature).softmax(-1)
        if self._decoding.top_p < 1:
            above = probabilities.cumsum(-1) - probabilities
            probabilities = probabilities.masked_fill(above >= self._decoding.top_p, 0)
        sums = probabilities.cumsum(-1)
        if self._step == 0:
            self._drawn = self._drawn.to(logits.device)
        wanted = self._drawn[:, self._step, None] * sums[:, -1:]
        self._step += 1
        indices = (sums <= wanted).sum(-1, keepdim=True).clamp(max=sums.shape[-1] - 1)
        return (indices if tokens is None else tokens.gather(1, indices))[:, 0]

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows alone, in this order."""
        if self._drawn is not None:
            self._drawn = self._drawn[rows.to(self._drawn.device)]

    def _kept(self, logits: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the logits that can be drawn, the largest first where that matters, and their tokens."""
        top_k, top_p = self._decoding.top_k, self._decoding.top_p
        if top_k:
            return logits.topk(min(top_k, logits.shape[-1]))
        if top_p < 1:
            return logits.sort(descending=True)
        return logits, None

    def _numbers(self, rows: Sequence[int]) -> Tensor:
        count, seed = self._decoding.max_new_tokens, self._decoding.seed
        return torch.stack(
            [torch.rand(count, generator=generator(seed, "generation", row), dtype=torch.double) for row in rows]
        )
