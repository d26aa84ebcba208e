"""Nearest neighbours among features: a bank of recent ones, a weighted vote, and what tells their rank."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_cnn.pretraining.processes import gathered

_SCALE = 32_767
_CHUNK = 1024


class FeatureBank(nn.Module):
    """The last `size` features with their labels (Wu et al., 2018), of unit length, and how many were ever seen.

    They are int16, which keeps four digits, so that no average of weights, over time or processes, takes them in.
    """

    def __init__(self, size: int, num_features: int) -> None:
        super().__init__()
        self.register_buffer("features", torch.zeros(size, num_features, dtype=torch.int16))
        self.register_buffer("labels", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.features: Tensor
        self.labels: Tensor
        self.seen: Tensor

    @torch.no_grad()
    def push(self, features: Tensor, labels: Tensor | None) -> None:
        """Put features (batch, num_features) in place of the oldest; without labels they are only counted."""
        size = len(self.labels)
        if labels is not None and size:
            labels, _ = gathered(labels)
            rows, _ = gathered(F.normalize(features.float(), dim=1))
            rows, labels = rows[-size:], labels[-size:]
            places = (self.seen + torch.arange(len(rows), device=rows.device)) % size
            self.features[places] = (rows * _SCALE).round().to(torch.int16)
            self.labels[places] = labels
            self.seen += len(rows)
        else:
            self.seen += len(features)

    def filled(self) -> tuple[Tensor, Tensor]:
        """Return the features that are there, of unit length, and their labels."""
        count = min(int(self.seen), len(self.labels))
        return F.normalize(self.features[:count].float(), dim=1), self.labels[:count]


def neighbour_votes(
    queries: Tensor,
    references: Tensor,
    labels: Tensor,
    num_classes: int,
    *,
    neighbours: int,
    temperature: float = 0.07,
    leave_own_out: bool = False,
) -> Tensor:
    """Return the summed votes for each class, (queries, classes): exp(cosine / temperature) of each near reference.

    The `neighbours` nearest vote (Wu et al., 2018, section 3.4). With `leave_own_out` queries and references are the
    same, and none votes for itself.
    """
    found = []
    references = F.normalize(references, dim=1)
    for start in range(0, len(queries), _CHUNK):
        cosines = F.normalize(queries[start : start + _CHUNK], dim=1) @ references.T
        if leave_own_out:
            cosines.diagonal(start).fill_(-torch.inf)
        near = cosines.topk(min(neighbours, len(references) - leave_own_out), dim=1)
        votes = cosines.new_zeros(len(cosines), num_classes)
        found.append(votes.scatter_add_(1, labels[near.indices], (near.values / temperature).exp()))
    return torch.cat(found)


def nearest(queries: Tensor, references: Tensor, count: int) -> Tensor:
    """Return the places of the nearest references by cosine, nearest first: (queries, count)."""
    cosines = F.normalize(queries, dim=1) @ F.normalize(references, dim=1).T
    return cosines.topk(min(count, len(references)), dim=1).indices


def effective_rank(features: Tensor) -> float:
    """Return RankMe of features (samples, num_features), from 1, collapsed, to num_features (Garrido et al., 2023).

    exp(-sum_k p_k log p_k) with p_k the share of the k-th singular value. It needs no labels, and orders models of a
    kind much as their accuracy does.
    """
    features = features.double()
    gram = features.T @ features if len(features) > features.shape[1] else features @ features.T
    values = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    shares = values / values.sum().clamp(min=1e-12) + 1e-12
    return float((-(shares * shares.log()).sum()).exp())
