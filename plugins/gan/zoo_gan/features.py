"""The feature space of named Zoo weights, in which made pictures are compared with real ones."""

from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo

_AT_ONCE = 256


class FeatureSpace:
    """Weights that see pictures, from what `zoo.load` takes; `num_classes` is how many they tell apart.

    Scores in their space are called by `name`: that of weights of a run are their architecture and data.
    """

    def __init__(self, source: str, device: torch.device) -> None:
        block = zoo.describe(source)
        trained_on = f".{block.data.name}" if block.data else ""
        self.name = f"{block.architecture}{trained_on}" if "/" in source or Path(source).exists() else source
        self.preprocessing = block.preprocessing
        self.model = zoo.load(source, device=str(device)).requires_grad_(False)
        self.num_classes = cast(zoo.Backbone, self.model).num_classes

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (batch, num_features) of pictures in [0, 1], and the classes that are seen in them."""
        backbone = cast(zoo.Backbone, self.model)
        features, classes = [], []
        for part in torch.split(images, _AT_ONCE):
            pooled = backbone.forward_head(backbone.forward_features(self._fitted(part)), pre_logits=True)
            features.append(pooled.float())
            classes.append(backbone.get_classifier()(pooled).argmax(1))
        return torch.cat(features), torch.cat(classes)

    def _fitted(self, images: Tensor) -> Tensor:
        """Return the pictures in the size and the channels that the weights were trained on."""
        if self.preprocessing is None:
            return images
        size, channels = list(self.preprocessing.image_size), self.preprocessing.channels
        if list(images.shape[2:]) != size:
            images = F.interpolate(images, size, mode="bilinear", antialias=True).clamp(0, 1)
        if images.shape[1] != channels:
            images = images.mean(1, keepdim=True).expand(-1, channels, -1, -1)
        return zoo.normalize(images, self.preprocessing)
