"""The baselines: each is solved at once, from who met what, and learns nothing by steps."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

import zoo
from zoo_recsys.history import HistoryModule

_MOST_ITEMS = 30_000
"""Of so many items a matrix of all pairs takes 3.6 GB."""
_USERS_AT_ONCE = 2048


class Popularity(HistoryModule):
    """How often each item was met: the same for everybody."""

    def __init__(self, *, items: int = 1000, num_classes: int = 0) -> None:
        super().__init__()
        zoo.check_sizes(items=items)
        self.items, self.num_features = items, 1
        self.shares = nn.Parameter(torch.zeros(items))
        self.feature_info = self.stage("head")
        self.reset_classifier(num_classes)

    def forward_features(self, history: Tensor) -> Tensor:
        """Return how popular what a user has is."""
        return history @ self.shares[:, None]

    def item_scores(self, history: Tensor, users: Tensor | None = None) -> Tensor:
        """Return each item's share."""
        return self.shares.expand(len(history), -1)

    def solve(self, training: zoo.Ragged) -> dict[str, Tensor]:
        """Return the weights, from the items of each user."""
        counts = torch.from_numpy(np.bincount(training.values, minlength=self.items)).double()
        return {"shares": counts / counts.sum()}


class ItemModel(HistoryModule):
    """A matrix that says by each item how much it speaks for every other one."""

    def __init__(self, items: int, num_classes: int) -> None:
        super().__init__()
        zoo.check_sizes(items=items)
        if items > _MOST_ITEMS:
            raise zoo.UsageError(
                f"a matrix of {items:,} x {items:,} items does not fit; thin them by --data-set core=10, or take "
                "bpr_mf, lightgcn, mult_vae or sasrec"
            )
        self.items = self.num_features = items
        self.similarity = nn.Linear(items, items, bias=False)
        nn.init.zeros_(self.similarity.weight)
        self.feature_info = self.stage("similarity")
        self.reset_classifier(num_classes)

    def forward_features(self, history: Tensor) -> Tensor:
        """Return what a user's items say of all."""
        features: Tensor = self.similarity(history)
        return features

    def item_scores(self, history: Tensor, users: Tensor | None = None) -> Tensor:
        """Return what a user's items say of all."""
        return self.forward_features(history)

    def similar(self, item: int) -> Tensor:
        """Return how near every item is to one."""
        return self.similarity.weight[:, item].detach()


class ItemKNN(ItemModel):
    """The nearest items by how many users they share (Sarwar et al., 2001; Deshpande and Karypis, 2004).

    Each item speaks for its `neighbors` nearest, by the cosine of their users, or by Jaccard's share; `shrinkage` is
    added below, so that what few have met counts less.
    """

    def __init__(
        self,
        *,
        items: int = 1000,
        neighbors: int = 100,
        shrinkage: float = 10.0,
        measure: Literal["cosine", "jaccard"] = "cosine",
        num_classes: int = 0,
    ) -> None:
        zoo.check_sizes(neighbors=neighbors)
        super().__init__(items, num_classes)
        self.neighbors, self.shrinkage, self.measure = neighbors, shrinkage, measure

    def solve(self, training: zoo.Ragged) -> dict[str, Tensor]:
        """Return the weights, from the items of each user."""
        shared = co_occurrence(training, self.items)
        counts = shared.diagonal().clone()
        both = counts[:, None] + counts if self.measure == "jaccard" else (counts[:, None] * counts).sqrt_()
        if self.measure == "jaccard":
            both -= shared
        similar = shared / (both + self.shrinkage).clamp_(min=1e-12)
        similar.fill_diagonal_(0)
        kept, places = similar.topk(min(self.neighbors, self.items), dim=1)
        return {"similarity.weight": torch.zeros_like(similar).scatter_(1, places, kept)}


class EASE(ItemModel):
    """Embarrassingly shallow autoencoder (Steck, 2019): ridge regression of each item on all others.

    B = I - P / diag(P), with P the inverse of X'X + `regularization` I.
    """

    def __init__(self, *, items: int = 1000, regularization: float = 300.0, num_classes: int = 0) -> None:
        if regularization <= 0:
            raise ValueError(f"regularization must be above 0, not {regularization}")
        super().__init__(items, num_classes)
        self.regularization = regularization

    def solve(self, training: zoo.Ragged) -> dict[str, Tensor]:
        """Return the weights, from the items of each user."""
        gram = co_occurrence(training, self.items)
        gram.diagonal().add_(self.regularization)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(gram))
        weight = inverse / -inverse.diagonal()[:, None]
        weight.fill_diagonal_(0)
        return {"similarity.weight": weight}


def co_occurrence(training: zoo.Ragged, items: int) -> Tensor:
    """Return how many users any two items share, (items, items)."""
    kind = torch.float64 if items <= _MOST_ITEMS // 3 else torch.float32
    found = torch.zeros(items, items, dtype=kind)
    for start in range(0, len(training), _USERS_AT_ONCE):
        places = np.arange(start, min(start + _USERS_AT_ONCE, len(training)))
        rows, _ = training.padded(places, items)
        users = torch.zeros(len(rows), items + 1).scatter_(1, torch.from_numpy(rows), 1.0)[:, :items]
        found += users.T @ users
    return found
