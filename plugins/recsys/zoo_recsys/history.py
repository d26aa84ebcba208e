"""What models of histories have in common: a user's items as 1 in a row of zeros, and a score for every item."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

import zoo


class HistoryModule(zoo.BackboneModule):
    """A backbone of histories (batch, items), 1 for what a user has and else 0.

    A subclass sets `items` and `num_features`, gives `forward_features` (batch, num_features) and `item_scores`
    (batch, items), and names in `feature_info` the module that the features come from.
    """

    items: int
    feature_info: list[zoo.FeatureInfo]

    def forward_features(self, history: Tensor) -> Tensor:
        """Return a vector of each user."""
        raise NotImplementedError

    def item_scores(self, history: Tensor, users: Tensor | None = None) -> Tensor:
        """Return a score for every item; `users` (batch,) are numbers of known users, -1 for others."""
        raise NotImplementedError

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """Return logits from features; with `pre_logits` the features."""
        logits: Tensor = x if pre_logits else self.get_classifier()(x)
        return logits

    def forward(self, history: Tensor) -> Tensor:
        """Return logits, or features where num_classes is 0."""
        return self.forward_head(self.forward_features(history))

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return (features, maps), or the maps alone: the one stage is the features."""
        features = self.forward_features(x)
        maps = [features[:, :, None]]
        chosen = (
            maps if indices is None else maps[-indices:] if isinstance(indices, int) else [maps[i] for i in indices]
        )
        return chosen if intermediates_only else (features, chosen)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return how layers are told apart: all are one."""
        return {"stem": r"^(?!head)", "blocks": [(r"^head", None)]}

    def stage(self, module: str) -> list[zoo.FeatureInfo]:
        """Return what `feature_info` says of the one stage."""
        return [zoo.FeatureInfo(self.num_features, self.items, module)]


def histories(items: Tensor, count: int) -> Tensor:
    """Return padded numbers of items (batch, longest) as 1 in a row of zeros (batch, count); `count` fills up."""
    found = torch.zeros(len(items), count + 1, device=items.device)
    return found.scatter_(1, items, 1.0)[:, :count]


def normalized(history: Tensor) -> Tensor:
    """Return histories of length 1."""
    return nn.functional.normalize(history, dim=1)
