"""Take spans of tokens out of windows, as many tokens and spans of each, so that shapes never change."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.draws import Draws


@dataclass(frozen=True)
class CorruptedWindow:
    """What is read, what is to be written, both (batch, tokens), and where what is read stood in the window."""

    read: Tensor
    target_ids: Tensor
    kept: Tensor


def cut_spans(ids: Tensor, draws: Draws, *, share: float, span_length: float, first: int) -> CorruptedWindow:
    """Cut a share of each window out, in spans of `span_length` on average.

    In place of each span there is a token, `first`, the next one and so on; written is each of these with its span.
    """
    length = ids.shape[1]
    noise = min(max(1, round(length * share)), length - 1)
    spans = min(max(1, round(noise / span_length)), noise, length - noise)
    inside = _parts(draws, "inside", noise, spans)
    outside = _parts(draws, "outside", length - noise, spans)
    # each span follows a stretch that is kept; a window therefore never begins with one
    ends = torch.stack([outside, inside], 2).flatten(1).cumsum(1)
    indices = torch.arange(length, device=ids.device).expand_as(ids)
    stretch = torch.searchsorted(ends, indices.contiguous(), right=True)
    taken, span = stretch % 2 == 1, stretch // 2
    begins = taken & (indices == ends.gather(1, (stretch - 1).clamp(min=0)))
    sentinels = first + span
    kept = _first_true(~taken | begins, length - noise + spans)
    read = torch.where(begins, sentinels, ids).gather(1, kept)
    # written: before each span its token; places of spans move on by the tokens that stand before
    out = _first_true(taken, noise)
    target_ids = ids.new_empty(len(ids), noise + spans)
    target_ids.scatter_(1, torch.arange(noise, device=ids.device) + span.gather(1, out) + 1, ids.gather(1, out))
    marks = inside.cumsum(1) - inside + torch.arange(spans, device=ids.device)
    target_ids.scatter_(1, marks, (first + torch.arange(spans, device=ids.device)).expand_as(marks))
    return CorruptedWindow(read, target_ids, kept)


def _parts(draws: Draws, name: str, total: int, count: int) -> Tensor:
    """Return (batch, count) whole numbers of 1 or more that add up to the total, all ways to do so alike."""
    cuts = draws.uniform(name, total - 1).argsort(dim=1)[:, : count - 1].sort(dim=1).values + 1
    return F.pad(F.pad(cuts, (1, 0)), (0, 1), value=total).diff(dim=1)


def _first_true(mask: Tensor, count: int) -> Tensor:
    """Return the places (batch, count) where the mask is true, of which every row has as many."""
    return (~mask).byte().argsort(dim=1, stable=True)[:, :count]
