"""A network that ranks items."""

from typing import Any

import torch
from torch import Tensor, nn

import zoo


class ItemNet(nn.Module):
    """What a user took, numbers of items from 1 (users, items), 0 where there are fewer; features (users, width)."""

    def __init__(self, *, num_items: int = 60, width: int = 16, num_classes: int = 0) -> None:
        super().__init__()
        self.num_items = num_items
        self.num_features = width
        self.feature_info = [zoo.FeatureInfo(width, 1, "block")]
        self.table = nn.Embedding(num_items + 1, width, padding_idx=0)
        self.block = nn.Linear(width, width)
        self.reset_classifier(num_classes)

    def forward_features(self, items: Tensor) -> Tensor:
        counts = (items > 0).sum(1, keepdim=True).clamp(min=1)
        mean = self.table(items).sum(1) / counts
        features: Tensor = mean + self.block(mean).tanh()
        return features

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        logits: Tensor = x if pre_logits else self.head(x)
        return logits

    def forward(self, items: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(items))

    def rank(self, items: Tensor) -> Tensor:
        """Return the score of each item (users, items): how near it lies to what was taken."""
        return self.forward_features(items) @ self.table.weight[1:].t()

    def get_classifier(self) -> nn.Module:
        return self.head

    def reset_classifier(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def no_weight_decay(self) -> set[str]:
        return {"table.weight"}

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": "^table", "blocks": "^block"}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Do nothing: there is too little to recompute."""


class Ranker(nn.Module):
    """A backbone with a score for each item on it, which begins where the backbone's own are; keeps `zoo.Network`."""

    def __init__(self, backbone: nn.Module, num_classes: int) -> None:
        super().__init__()
        known: Any = backbone
        known.reset_classifier(0)
        self.backbone = backbone
        self.num_classes = num_classes
        self.arguments: dict[str, Any] = {}
        self.head = nn.Linear(known.num_features, known.num_items)
        with torch.no_grad():
            self.head.weight.copy_(known.table.weight[1:])
            self.head.bias.zero_()

    def forward(self, items: Tensor) -> Tensor:
        scores: Tensor = self.head(self.backbone(items))
        return scores
