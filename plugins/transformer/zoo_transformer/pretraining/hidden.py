"""Which tokens of a window are hidden, and those texts of which a window is."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo

IGNORED = -100
"""A target that no loss looks at, as torch's cross-entropy has it."""


class Hidden(NamedTuple):
    """What is seen of windows (batch, tokens), which places are hidden (batch, hidden), and what stands there."""

    seen: Tensor
    places: Tensor
    targets: Tensor


def hide(ids: Tensor, draws: zoo.Draws, share: float, inputs: zoo.TextInputs) -> Hidden:
    """Put the mask in place of a share of each window's tokens, as many of each; special ones stay, and are IGNORED."""
    count = max(1, round(ids.shape[1] * share))
    special = torch.isin(ids, torch.tensor(sorted(inputs.tokenizer.special), device=ids.device))
    places = (draws.uniform("places", ids.shape[1]) - special.float()).topk(count, dim=1).indices
    stays = special.gather(1, places)
    there = ids.gather(1, places)
    seen = ids.scatter(1, places, there.where(stays, inputs.tokenizer.needed("mask")))
    return Hidden(seen, places, there.masked_fill(stays, IGNORED))


def at_places(features: Tensor, places: Tensor) -> Tensor:
    """Return the features (batch, hidden, width) of the tokens at these places."""
    return features.gather(1, places[..., None].expand(-1, -1, features.shape[-1]))


def summed_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the sum over all targets that are not IGNORED."""
    return F.cross_entropy(logits.flatten(0, -2).float(), targets.flatten(), ignore_index=IGNORED, reduction="sum")


class Texts(NamedTuple):
    """Where in flattened windows the texts lie: `number` and `place` of each token, `lengths`, and which are `whole`.

    Whole ones have `fewest` tokens or more, and begin in their window, unless they fill it.
    """

    number: Tensor
    place: Tensor
    lengths: Tensor
    whole: Tensor

    def rows(self, features: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return a padded row of features (texts, tokens, width) for each whole text, and the mask of what was seen."""
        kept = self.whole.nonzero()[:, 0]
        rows = torch.full_like(self.lengths, -1)
        rows[kept] = torch.arange(len(kept), device=kept.device)
        row = rows[self.number]
        inside = (row >= 0) & seen.flatten()
        longest = int(self.lengths[kept].max())
        padded = features.new_zeros(len(kept), longest, features.shape[-1])
        mask = torch.zeros(len(kept), longest, dtype=torch.long, device=features.device)
        where = (row[inside], self.place[inside])
        return padded.index_put(where, features.flatten(0, 1)[inside]), mask.index_put_(
            where, torch.ones_like(row[inside])
        )

    def spans(self, draws: zoo.Draws, least: float, shape: torch.Size) -> Tensor:
        """Return which tokens (batch, tokens) are seen: of each text its first, and a span of `least` to all of it."""
        starts = (self.place == 0).nonzero()[:, 0]
        long, begins = (
            draws.uniform(name, shape[1]).flatten()[starts][self.number] for name in ("span length", "span begin")
        )
        length = self.lengths[self.number]
        span = (length * (least + (1 - least) * long)).ceil()
        first = ((length - span + 1) * begins).floor()
        return ((self.place >= first) & (self.place < first + span) | (self.place == 0)).view(shape)


def texts_in(ids: Tensor, attention_mask: Tensor | None, fewest: int) -> Texts:
    """Return the texts in windows (batch, tokens), which the mask numbers: of none all tokens are one.

    Where no text is whole, each window counts as one.
    """
    batch, length = ids.shape
    numbers = torch.ones_like(ids) if attention_mask is None else attention_mask
    begins = F.pad(numbers[:, 1:] != numbers[:, :-1], (1, 0), value=True)
    first = torch.zeros_like(begins)
    first[:, 0] = True
    starts = begins.flatten().nonzero()[:, 0]
    lengths = torch.cat([starts[1:], starts.new_tensor([batch * length])]) - starts
    cut = first.flatten()[starts] & (lengths < length)
    whole = (lengths >= fewest) & ~cut & (numbers.flatten()[starts] != 0)
    if not whole.any():
        return texts_in(ids, None, 1)
    number = begins.flatten().cumsum(0) - 1
    place = torch.arange(batch * length, device=ids.device) - starts[number]
    return Texts(number, place, lengths, whole)
