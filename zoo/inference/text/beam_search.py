"""Beam search: several beginnings of each text are kept, the likeliest ones, and the best that ended is taken."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zoo.errors import IntegrityError
from zoo.inference.text.decoding_options import Decoding
from zoo.inference.text.model_steps import Steps, few_go_on
from zoo.inference.text.next_token import NO_NUMBERS, Penalty, without_numbers
from zoo.inference.text.output_rows import Row

_NEVER = -1e9
"""The score of what cannot be taken, finite so that a worse one is still less."""


def search(steps: Steps, decoding: Decoding, rows: Sequence[Row], penalty: Penalty, never: Tensor) -> None:
    """Write the best text of each row.

    The score of a text is the sum of its tokens' logarithms of probability over its length to the power of
    `length_penalty`. A row is done when it has as many ended texts as beams and none that is open is likelier, at the
    length it has by then: transformers' rule where early_stopping is False.
    """
    beams, device = decoding.beams, steps.written.device
    ends = torch.tensor(sorted(rows[0].end), dtype=torch.long, device=device)
    kept = max(2, 1 + len(ends)) * beams
    found = Hypotheses(len(rows), decoding, device)
    logits = steps.first()
    steps.repeat(beams)
    penalty.repeat(beams)
    broken = without_numbers(logits).any()
    scores = torch.full((len(rows), beams), _NEVER, device=device)
    scores[:, 0] = 0  # all beams begin alike, and one is enough to begin with
    logits = logits.repeat_interleave(beams, 0)
    written = torch.zeros(len(rows), beams, 0, dtype=torch.long, device=device)
    offsets = torch.arange(len(rows), device=device)[:, None] * beams
    for step in range(1, decoding.max_new_tokens + 1):
        likely = penalty(logits.log_softmax(-1)).index_fill_(1, never, -torch.inf)
        sums = (likely.view(len(rows), beams, -1) + scores[..., None]).flatten(1)
        sums, indices = sums.topk(min(kept, sums.shape[1]))
        beam, token = indices // likely.shape[1], indices % likely.shape[1]
        texts = torch.cat([written.gather(1, _over(beam, written)), token[..., None]], 2)
        ended = torch.isin(token, ends) | (step == decoding.max_new_tokens)
        if decoding.stop:
            ended |= _stopped(rows, texts)
        found.add(texts, sums, ended, step)
        open_sums, best = sums.masked_fill(ended, _NEVER).topk(beams)
        scores, written = open_sums, texts.gather(1, _over(best, texts))
        going = found.open(scores, step)
        if step == decoding.max_new_tokens or not len(going):
            break
        taken = beam.gather(1, best) + offsets[: len(rows)]
        move = steps.select
        if few_go_on(len(going), len(rows)):
            rows, move = found.keep(going, rows), steps.keep
            scores, written, taken = scores[going], written[going], taken[going]
        move(taken.flatten())
        penalty.select(taken.flatten())
        penalty.saw(written[..., -1].flatten())
        logits = steps.next(written[..., -1].flatten())
        broken |= without_numbers(logits).any()
    if bool(broken):
        raise IntegrityError(NO_NUMBERS)
    found.write(rows)


class Hypotheses:
    """The best texts of each row that have ended, as many as there are beams."""

    def __init__(self, rows: int, decoding: Decoding, device: torch.device) -> None:
        self._decoding = decoding
        self._texts = torch.zeros(rows, decoding.beams, decoding.max_new_tokens, dtype=torch.long, device=device)
        self._lengths = torch.zeros(rows, decoding.beams, dtype=torch.long, device=device)
        self._scores = torch.full((rows, decoding.beams), _NEVER, device=device)
        self._done = torch.zeros(rows, dtype=torch.bool, device=device)

    def add(self, texts: Tensor, sums: Tensor, ended: Tensor, length: int) -> None:
        """Take up those of the likeliest texts that have ended, if they are better than what is there."""
        beams = self._decoding.beams
        texts, ended = texts[:, :beams], ended[:, :beams] & ~self._done[:, None]
        scores = (sums[:, :beams] / length**self._decoding.length_penalty).masked_fill(~ended, _NEVER)
        padded = torch.nn.functional.pad(texts, (0, self._texts.shape[2] - length))
        lengths = torch.full_like(self._lengths, length)
        self._scores, best = torch.cat([self._scores, scores], 1).topk(beams)
        self._lengths = torch.cat([self._lengths, lengths], 1).gather(1, best)
        both = torch.cat([self._texts, padded], 1)
        self._texts = both.gather(1, _over(best, both))

    def open(self, scores: Tensor, length: int) -> Tensor:
        """Return which rows have something open, with these sums (rows, beams), that can be better than what ended."""
        best_open = scores[:, 0] / length**self._decoding.length_penalty
        worst = self._scores[:, -1]  # _NEVER while there are fewer than beams
        self._done |= (best_open <= worst) & (worst > _NEVER)
        return (~self._done).nonzero()[:, 0]

    def keep(self, indices: Tensor, rows: Sequence[Row]) -> list[Row]:
        """Write the rows that are done, and go on with those at these places, which are returned."""
        going = indices.tolist()
        self._give(rows, sorted(set(range(len(rows))) - set(going)))
        self._texts, self._lengths = self._texts[indices], self._lengths[indices]
        self._scores, self._done = self._scores[indices], self._done[indices]
        return [rows[place] for place in going]

    def write(self, rows: Sequence[Row]) -> None:
        """Give each row the best text."""
        self._give(rows, range(len(rows)))

    def _give(self, rows: Sequence[Row], indices: Sequence[int]) -> None:
        texts, lengths = self._texts[:, 0].tolist(), self._lengths[:, 0].tolist()
        for place in indices:
            for token in texts[place][: lengths[place]]:
                if not rows[place].ended:
                    rows[place].take(token)


def _over(indices: Tensor, texts: Tensor) -> Tensor:
    """Return places (rows, n) as they are needed to gather whole texts (rows, beams, tokens)."""
    return indices[..., None].expand(-1, -1, texts.shape[2])


def _stopped(rows: Sequence[Row], texts: Tensor) -> Tensor:
    """Tell which texts (rows, n, tokens) hold a stop string."""
    said = [[row.would_stop(ids) for ids in several] for row, several in zip(rows, texts.tolist(), strict=True)]
    return torch.tensor(said, device=texts.device)
