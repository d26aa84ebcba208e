"""Rank items for users: scores of all items, what was seen left out, the best ones first."""

from typing import Any

import torch
from torch import Tensor

from zoo_recsys.history import histories
from zoo_recsys.vocabulary import Vocabulary


def item_scores(model: Any, vocabulary: Vocabulary, items: Tensor, lengths: Tensor, users: Tensor) -> Tensor:
    """Return a score for every item (batch, items).

    `items` (batch, longest) are those of each user, `lengths` how many there are; `users` are numbers, -1 for unknown
    ones. Who has no items and is not known gets what is popular.
    """
    count = len(vocabulary.table.names)
    if vocabulary.form == "sequence":
        ids, mask = last_items(items, lengths, vocabulary.max_items, count)
        scores: Tensor = model.item_scores(ids, mask)
        cold = lengths == 0
    else:
        known = vocabulary.user_names is not None and not bool((users < 0).any())
        scores = model.item_scores(None if known else histories(items, count), users)
        cold = (lengths == 0) & (users < 0)
    if bool(cold.any()):
        scores = torch.where(cold[:, None], vocabulary.counts.to(scores.device), scores)
    return scores


def top_items(
    model: Any, vocabulary: Vocabulary, items: Tensor, lengths: Tensor, users: Tensor, k: int, *, seen: bool = False
) -> tuple[Tensor, Tensor]:
    """Return scores and numbers of the k best items (batch, k); without `seen`, what a user has is left out.

    Where fewer are left, the last scores are -inf.
    """
    scores = item_scores(model, vocabulary, items, lengths, users)
    if not seen:
        rows, places = (torch.arange(items.shape[1], device=items.device) < lengths[:, None]).nonzero(as_tuple=True)
        scores = scores.clone() if scores._base is not None else scores
        scores[rows, items[rows, places]] = -torch.inf
    best, numbers = scores.topk(min(k, scores.shape[1]))
    return best, numbers


def last_items(items: Tensor, lengths: Tensor, most: int, fill: int) -> tuple[Tensor, Tensor]:
    """Return the last items of each row, filled up behind, and where they are; nobody's row is empty."""
    longest = max(1, min(most, int(lengths.max())))
    kept = lengths.clamp(max=longest)
    places = torch.arange(longest, device=items.device)
    inside = places < kept[:, None]
    sources = ((lengths - kept)[:, None] + places).clamp(max=items.shape[1] - 1)
    ids = torch.where(inside, items.gather(1, sources), 0)
    return ids.clamp(max=fill - 1), inside.long()
