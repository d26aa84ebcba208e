"""A small network for sounds."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

import zoo


class ToneNet(nn.Module):
    """Sounds (batch, samples), features (batch, channels, a sixteenth of the samples)."""

    def __init__(self, *, width: int = 16, num_classes: int = 0) -> None:
        super().__init__()
        self.num_features = 2 * width
        self.stem = nn.Conv1d(1, width, 31, stride=8, padding=15)
        self.block = nn.Conv1d(width, 2 * width, 3, stride=2, padding=1)
        self.decoder = nn.ConvTranspose1d(2 * width, 1, 16, stride=16)
        self.feature_info = [zoo.FeatureInfo(width, 8, "stem"), zoo.FeatureInfo(2 * width, 16, "block")]
        self.reset_classifier(num_classes)

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        first = self.stem(x[:, None]).relu()
        maps = [first, self.block(first).relu()]
        chosen = range(2) if indices is None else range(2)[-indices:] if isinstance(indices, int) else indices
        found = [maps[place] for place in chosen]
        return found if intermediates_only else (maps[-1], found)

    def forward_features(self, x: Tensor) -> Tensor:
        features: Tensor = self.forward_intermediates(x)[0]
        return features

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = x.mean(2)
        logits: Tensor = pooled if pre_logits else self.head(pooled)
        return logits

    def forward(self, sounds: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(sounds))

    def reconstruct(self, sounds: Tensor) -> Tensor:
        """Return sounds in [-1, 1] of the same shape."""
        waves: Tensor = self.decoder(self.forward_features(sounds))
        return waves[:, 0, : sounds.shape[1]].tanh()

    def get_classifier(self) -> nn.Module:
        return self.head

    def reset_classifier(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def no_weight_decay(self) -> set[str]:
        return set()

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": "^stem", "blocks": "^block|^decoder"}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Do nothing: there is too little to recompute."""
