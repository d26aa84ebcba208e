"""Factorizations: a vector for each user and each item, alone or spread over the graph of who met what."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

import zoo
from zoo_recsys.history import HistoryModule


class Factorization(HistoryModule):
    """A user likes the items whose vectors lie in the direction of its own; `biased` ones have a rank of their own.

    With `layers` vectors are the mean of what so many steps over the graph make of them, as LightGCN does (He et al.,
    2020); that is done in training, and `spread` says whether the vectors are those at its end. Who is no known user
    gets the mean of all, and of the vectors of its items.
    """

    def __init__(
        self,
        *,
        items: int = 1000,
        users: int = 100,
        width: int = 64,
        layers: int = 0,
        biased: bool = True,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(items=items, users=users, width=width)
        self.items, self.users, self.layers = items, users, layers
        self.num_features = width + biased
        self.user_vectors = nn.Parameter(torch.empty(users, width))
        self.item_vectors = nn.Parameter(torch.empty(items, width))
        self.item_bias = nn.Parameter(torch.zeros(items, 1)) if biased else None
        for table in (self.user_vectors, self.item_vectors):
            nn.init.normal_(table, std=0.1)
        self.register_buffer("spread", torch.zeros(()))
        self.feature_info = self.stage("head")
        self.reset_classifier(num_classes)

    def vectors(self) -> tuple[Tensor, Tensor]:
        """Return the vectors of users and of items; with a bias each has one more number, of users 1."""
        users, items = self.user_vectors, self.item_vectors
        if self.item_bias is None:
            return users.view_as(users), items.view_as(items)
        return torch.cat([users, torch.ones_like(users[:, :1])], 1), torch.cat([items, self.item_bias], 1)

    def forward_features(self, history: Tensor) -> Tensor:
        """Return the vector of somebody who is known by history alone."""
        return folded(*self.vectors(), history)

    def item_scores(self, history: Tensor | None, users: Tensor | None = None) -> Tensor:
        """Return the product of each user's vector with those of all items."""
        return product_scores(*self.vectors(), history, users)

    def similar(self, item: int) -> Tensor:
        """Return how near every item is to one: by the cosine of their vectors."""
        vectors = nn.functional.normalize(self.item_vectors.detach(), dim=1)
        return vectors @ vectors[item]

    def no_weight_decay(self) -> set[str]:
        """Return nothing: vectors are decayed, too."""
        return set()

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return how layers are told apart: the vectors are one."""
        return {"stem": r"^(user_vectors|item_vectors|item_bias)", "blocks": [(r"^head", None)]}


class SpreadVectors:
    """Vectors of users and items that a recipe has spread over its graph, to be scored by."""

    def __init__(self, users: Tensor, items: Tensor) -> None:
        self.users, self.items = users, items

    def item_scores(self, history: Tensor | None, users: Tensor | None = None) -> Tensor:
        """Return the product of each user's vector with those of all items."""
        return product_scores(self.users, self.items, history, users)


def folded(users: Tensor, items: Tensor, history: Tensor) -> Tensor:
    """Return vectors of users who are known by history alone: the mean of all users, and that of their items."""
    return users.mean(0) + history @ items / history.sum(1, keepdim=True).clamp(min=1)


def product_scores(known: Tensor, items: Tensor, history: Tensor | None, users: Tensor | None) -> Tensor:
    """Return products with all items' vectors, of known users or, where `users` is -1 or None, of histories."""
    if history is None:
        assert users is not None
        return known[users] @ items.T
    mine = folded(known, items, history)
    if users is not None:
        mine = torch.where((users < 0)[:, None], mine, known[users.clamp(min=0)])
    return mine @ items.T


def adjacency(training: zoo.Ragged, users: int, items: int, device: torch.device) -> Tensor:
    """Return the graph of users and items, each edge over the root of both ends' degrees, (users + items) squared."""
    theirs = torch.repeat_interleave(torch.arange(len(training)), torch.from_numpy(training.lengths))
    mine = torch.from_numpy(training.values) + users
    ends = torch.stack([torch.cat([theirs, mine]), torch.cat([mine, theirs])])
    degrees = torch.bincount(ends[0], minlength=users + items).clamp(min=1).float()
    weights = (degrees[ends[0]] * degrees[ends[1]]).rsqrt()
    with warnings.catch_warnings():  # torch calls its sparse rows a beta, once a process
        warnings.filterwarnings("ignore", message="Sparse ")
        graph = torch.sparse_coo_tensor(ends, weights, (users + items, users + items), check_invariants=True)
        return graph.coalesce().to_sparse_csr().to(device)
