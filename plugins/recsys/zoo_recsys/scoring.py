"""Score the rankings of all users of a split."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

import zoo
from zoo_recsys.history import histories
from zoo_recsys.metrics import user_metrics
from zoo_recsys.vocabulary import Vocabulary


@dataclass(frozen=True)
class Scores:
    """The figures of each user, how many items each had, and how often each item was recommended and met."""

    users: dict[str, Tensor]
    lengths: Tensor
    recommended: Tensor
    counts: Tensor

    def means(self) -> dict[str, float]:
        """Return the means over users, and the share of all items that is recommended to anybody."""
        found = {name: float(values.mean()) for name, values in self.users.items()}
        return {**found, "coverage": float((self.recommended > 0).double().mean())}


def score(ranked: Callable[[zoo.Batch], Tensor], batches: Iterable[zoo.Batch], vocabulary: Vocabulary) -> Scores:
    """Return what the rankings of `ranked`, numbers of items (batch, k), are worth."""
    count = len(vocabulary.table.names)
    recommended = torch.zeros(count, dtype=torch.int64)
    parts: list[dict[str, Tensor]] = []
    lengths = []
    for batch in batches:
        numbers = ranked(batch)
        hits = histories(batch["held"], count).gather(1, numbers) > 0
        parts.append({name: values.cpu() for name, values in user_metrics(hits, batch["relevant"]).items()})
        lengths.append(batch["items_lengths"].cpu())
        recommended += torch.bincount(numbers.flatten().cpu(), minlength=count)
    users = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return Scores(users, torch.cat(lengths), recommended, vocabulary.counts)
