"""A backbone that gives its stages' feature maps instead of a classification."""

from typing import Any

from torch import Tensor, nn

from zoo.errors import UsageError
from zoo.specs.backbones import Backbone


class Features(nn.Module):
    """Return the feature map of every stage, finest first, as `feature_info` describes them."""

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        if not isinstance(backbone, Backbone):
            raise UsageError(
                f"{type(backbone).__name__} has no feature maps per stage; omit features_only, call forward_features"
            )
        self.backbone = backbone
        self.feature_info = backbone.feature_info

    def forward(self, images: Tensor) -> list[Tensor]:
        maps: list[Tensor] = self.backbone.forward_intermediates(images, intermediates_only=True)
        return maps
