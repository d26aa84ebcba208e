"""The textbook autoencoder (Hinton and Salakhutdinov, 2006): linear layers, ReLU inside, sigmoid at the end."""

import math
from typing import Any

from torch import Tensor, nn

import zoo


class DenseAutoencoder(nn.Module):
    """Encode pictures through `hidden_sizes` to `code_size` numbers, and decode them the same way back."""

    def __init__(
        self,
        *,
        image_size: int | list[int] = 28,
        channels: int = 1,
        hidden_sizes: list[int] | None = None,
        code_size: int = 64,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
        self.shape = (channels, height, width)
        sizes = [math.prod(self.shape), *(hidden_sizes or []), code_size]
        if min(sizes) < 1:
            raise ValueError(f"every size must be 1 or more, not {sizes}")
        back = sizes[::-1]
        self.encoder = nn.Sequential(*(_layer(a, b) for a, b in zip(sizes, sizes[1:], strict=False)))
        self.decoder = nn.Sequential(
            *(_layer(a, b) for a, b in zip(back[:-2], back[1:-1], strict=True)), nn.Linear(back[-2], back[-1])
        )
        self.num_features = code_size
        self.feature_info = [zoo.FeatureInfo(code_size, max(height, width), "encoder")]
        self.reset_classifier(num_classes)

    def embed(self, images: Tensor) -> Tensor:
        code: Tensor = self.encoder(images.flatten(1))
        return code

    def reconstruct_logits(self, images: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.embed(images))
        return logits.reshape(-1, *self.shape)

    def reconstruct(self, images: Tensor) -> Tensor:
        return self.reconstruct_logits(images).sigmoid()

    def forward_features(self, x: Tensor) -> Tensor:
        return self.embed(x)[:, :, None, None]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = x.flatten(1)
        logits: Tensor = pooled if pre_logits else self.head(pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(
        self, x: Tensor, indices: int | list[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        features = self.forward_features(x)
        return [features] if intermediates_only else (features, [features])

    def get_classifier(self) -> nn.Module:
        return self.head

    def reset_classifier(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def no_weight_decay(self) -> set[str]:
        return set()

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^encoder\.0\.", "blocks": [(r"^encoder\.(\d+)", None), (r"^decoder", None)]}

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Do nothing: a few linear layers have no activations worth saving."""


def _layer(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU())
