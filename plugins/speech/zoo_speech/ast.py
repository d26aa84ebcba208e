"""The Audio Spectrogram Transformer (Gong et al., 2021): a vision transformer over patches of a log-mel spectrogram."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo


class _Attention(nn.Module):
    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(2, (self.num_heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        found = F.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.out(found.transpose(1, 2).flatten(2))
        return mixed


class _Layer(nn.Module):
    def __init__(self, width: int, num_heads: int, mlp_width: int, norm_eps: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, norm_eps)
        self.attention = _Attention(width, num_heads)
        self.norm2 = nn.LayerNorm(width, norm_eps)
        self.mlp = nn.Sequential(nn.Linear(width, mlp_width), nn.GELU(), nn.Linear(mlp_width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        found: Tensor = x + self.mlp(self.norm2(x))
        return found


class AST(zoo.BackboneModule):
    """Log-mel spectrograms (batch, mels, frames) to tokens: two of the whole, then a patch each, frequency first.

    Pooled features are the mean of the first two, as the authors have it, or with `pool="patches"` of the patches,
    which is what masked prediction trains.
    """

    classifier_name = "head.out"

    def __init__(
        self,
        *,
        mels: int = 128,
        frames: int = 1024,
        patch: int = 16,
        frequency_stride: int = 10,
        time_stride: int = 10,
        width: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_width: int = 3072,
        norm_eps: float = 1e-12,
        pool: str = "tokens",
        segments: int = 1,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(mels=mels, frames=frames, patch=patch, frequency_stride=frequency_stride)
        zoo.check_sizes(time_stride=time_stride, width=width, depth=depth, num_heads=num_heads, segments=segments)
        if pool not in ("tokens", "patches"):
            raise ValueError(f"pool={pool!r}; give tokens or patches")
        if min(mels, frames) < patch or width % num_heads:
            raise ValueError(
                f"patches of {patch} in {mels} x {frames}, width {width} in {num_heads} heads; give sizes that fit"
            )
        if segments > 1 and pool == "tokens":
            raise ValueError("segments are those of pool='patches'")
        self.patch, self.stride = patch, (frequency_stride, time_stride)
        self.grid = ((mels - patch) // frequency_stride + 1, (frames - patch) // time_stride + 1)
        self.pooling, self.segments = pool, segments
        self.embedding = nn.Conv2d(1, width, patch, self.stride)
        self.tokens = nn.Parameter(torch.zeros(2, 1, width))
        self.positions = nn.Parameter(torch.randn(1, self.grid[0] * self.grid[1] + 2, width) * 0.02)
        self.layers = nn.ModuleList(_Layer(width, num_heads, mlp_width, norm_eps) for _ in range(depth))
        self.norm = nn.LayerNorm(width, norm_eps)
        self.width = width
        self.num_features = width * segments
        self.head = nn.ModuleDict({"norm": nn.LayerNorm(self.num_features, norm_eps), "out": nn.Identity()})
        self.feature_info = [zoo.FeatureInfo(width, time_stride, f"layers.{place}") for place in range(depth)]
        self.reset_classifier(num_classes)

    def encode(self, x: Tensor, masked: Tensor | None = None) -> list[Tensor]:
        """Return the tokens after each layer, the last ones normalized; patches that are `masked` are seen as zeros."""
        found = self.embedding(x[:, None]).flatten(2).transpose(1, 2)
        if masked is not None:
            found = found.masked_fill(masked[..., None], 0)
        found = torch.cat([self.tokens[:, 0].expand(x.shape[0], -1, -1), found], 1) + self.positions
        layers = []
        for layer in self.layers:
            found = self.run(layer, found)
            layers.append(found)
        layers[-1] = self.norm(layers[-1])
        return layers

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return tokens, and of each layer a map (batch, width, frames), the mean over frequency."""
        layers = self.encode(x)
        maps = [layer[:, 2:].reshape(x.shape[0], *self.grid, -1).mean(1).transpose(1, 2) for layer in layers]
        chosen = zoo.ImageBackboneModule.choose(maps, indices)
        return chosen if intermediates_only else (layers[-1], chosen)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.encode(x)[-1]

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        if self.pooling == "tokens":
            pooled = x[:, :2].mean(1)
        else:
            over_time = x[:, 2:].reshape(x.shape[0], *self.grid, -1).mean(1).transpose(1, 2)
            pooled = F.adaptive_avg_pool1d(over_time, self.segments).transpose(1, 2).flatten(1)
        pooled = self.head["norm"](pooled)
        logits: Tensor = pooled if pre_logits else self.head["out"](pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def no_weight_decay(self) -> set[str]:
        return {"tokens", "positions"}

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {
            "stem": r"^embedding|^tokens|^positions",
            "blocks": [(r"^layers\.(\d+)", None), (r"^norm|^head\.norm", (99_999,))],
        }


def patches_of(x: Tensor, patch: int, stride: tuple[int, int]) -> Tensor:
    """Return what each patch of log-mel spectrograms holds, (batch, patches, values)."""
    return F.unfold(x[:, None], patch, stride=stride).transpose(1, 2)
