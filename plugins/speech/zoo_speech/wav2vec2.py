"""wav2vec 2.0 (Baevski et al., 2020) and HuBERT (Hsu et al., 2021): convolutions over waves, then a transformer."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo

_KERNELS, _STRIDES = (10, 3, 3, 3, 3, 2, 2), (5, 2, 2, 2, 2, 2, 2)
REDUCTION = 320
"""Samples to a frame."""


class _Convolution(nn.Module):
    """One convolution; `norm` is over the channels of a frame ("layer"), the time of a channel ("group"), or none."""

    def __init__(self, source: int, width: int, kernel: int, stride: int, norm: str | None, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv1d(source, width, kernel, stride, bias=bias)
        self.kind = norm
        if norm is not None:
            self.norm = nn.GroupNorm(width, width) if norm == "group" else nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.kind == "layer":
            x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        elif self.kind == "group":
            x = self.norm(x)
        return F.gelu(x)


class _Positions(nn.Module):
    """A wide convolution that tells frames where they are; its weights are a direction and a length for each tap."""

    def __init__(self, width: int, kernel: int, groups: int) -> None:
        super().__init__()
        self.kernel, self.groups = kernel, groups
        direction = torch.empty(width, width // groups, kernel)
        nn.init.normal_(direction, std=2 * (1 / (kernel * width)) ** 0.5)
        self.weight_v = nn.Parameter(direction)
        self.weight_g = nn.Parameter(direction.norm(dim=(0, 1), keepdim=True))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight_v * (self.weight_g / self.weight_v.norm(dim=(0, 1), keepdim=True))
        found = F.conv1d(x.transpose(1, 2), weight, self.bias, padding=self.kernel // 2, groups=self.groups)
        if self.kernel % 2 == 0:
            found = found[..., :-1]
        return F.gelu(found).transpose(1, 2)


class _Layer(nn.Module):
    def __init__(self, width: int, num_heads: int, mlp_width: int, norm_eps: float, norm_first: bool) -> None:
        super().__init__()
        self.num_heads, self.norm_first = num_heads, norm_first
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))
        self.norm1, self.norm2 = nn.LayerNorm(width, norm_eps), nn.LayerNorm(width, norm_eps)
        self.mlp = nn.Sequential(nn.Linear(width, mlp_width), nn.GELU(), nn.Linear(mlp_width, width))

    def forward(self, x: Tensor) -> Tensor:
        if self.norm_first:
            x = x + self._attend(self.norm1(x))
            found: Tensor = x + self.mlp(self.norm2(x))
            return found
        x = self.norm1(x + self._attend(x))
        found = self.norm2(x + self.mlp(x))
        return found

    def _attend(self, x: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(2, (self.num_heads, -1)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        found: Tensor = self.out(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))
        return found


class Wav2Vec2(zoo.BackboneModule):
    """Waves (batch, samples) of 16 kHz to frames (batch, frames, width), 50 a second.

    `norm` is how the convolutions are normalized, "group" the first of them alone, "layer" each; with `norm_first` the
    transformer's layers are, as in the large models. Pooled features are the mean over time. With `ctc` the head is
    one of `vocab_size` letters over time, of which `blank` is none, until another takes its place.
    """

    letters: nn.Linear | None

    def __init__(
        self,
        *,
        conv_width: int = 512,
        conv_bias: bool = False,
        norm: str = "group",
        norm_first: bool = False,
        width: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_width: int = 3072,
        positions_kernel: int = 128,
        positions_groups: int = 16,
        norm_eps: float = 1e-5,
        ctc: bool = False,
        vocab_size: int = 32,
        blank: int = 0,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(conv_width=conv_width, width=width, depth=depth, num_heads=num_heads, mlp_width=mlp_width)
        zoo.check_sizes(positions_kernel=positions_kernel, positions_groups=positions_groups)
        if norm not in ("group", "layer") or width % num_heads or width % positions_groups:
            raise ValueError(
                f"norm={norm!r}, width={width} in {num_heads} heads and {positions_groups} groups; give group or "
                "layer, and sizes that fit"
            )
        self.convolutions = nn.ModuleList(
            _Convolution(
                1 if place == 0 else conv_width,
                conv_width,
                kernel,
                stride,
                norm if norm == "layer" or place == 0 else None,
                conv_bias,
            )
            for place, (kernel, stride) in enumerate(zip(_KERNELS, _STRIDES, strict=True))
        )
        self.projection_norm = nn.LayerNorm(conv_width, norm_eps)
        self.projection = nn.Linear(conv_width, width)
        self.positions = _Positions(width, positions_kernel, positions_groups)
        self.norm = nn.LayerNorm(width, norm_eps)
        self.layers = nn.ModuleList(_Layer(width, num_heads, mlp_width, norm_eps, norm_first) for _ in range(depth))
        if ctc and blank >= vocab_size:
            raise ValueError(f"blank={blank} is none of vocab_size={vocab_size} letters")
        self.norm_first, self.blank = norm_first, blank
        self.num_features = self.frame_features = width
        self.frame_steps = tuple((kernel, stride, 0) for kernel, stride in zip(_KERNELS, _STRIDES, strict=True))
        self.feature_info = [zoo.FeatureInfo(width, REDUCTION, f"layers.{place}") for place in range(depth)]
        self.reset_classifier(num_classes)
        if ctc and not num_classes:
            self.letters = nn.Linear(width, vocab_size)

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh head in place, also of letters; 0 takes it away."""
        self.letters = None
        super().reset_classifier(num_classes)

    def encode(self, waves: Tensor) -> list[Tensor]:
        """Return the frames after each layer."""
        return self.transformed(self.projection(self.convolved(waves)))

    def convolved(self, waves: Tensor) -> Tensor:
        """Return frames (batch, frames, conv_width) as the convolutions make them, normalized."""
        x = waves[:, None]
        for convolution in self.convolutions:
            x = convolution(x)
        found: Tensor = self.projection_norm(x.transpose(1, 2))
        return found

    def hear_around(self, waves: Tensor, hidden: Tensor, instead: Tensor) -> tuple[Tensor, Tensor]:
        """Return frames as the convolutions make them, and features of all with a vector `instead` of hidden ones."""
        frames = self.convolved(waves)
        x = self.projection(frames)
        x = torch.where(hidden[..., None], instead.to(x.dtype), x)
        return frames, self.transformed(x)[-1]

    def transformed(self, x: Tensor) -> list[Tensor]:
        """Return the frames (batch, frames, width) after each layer of the transformer."""
        x = x + self.positions(x)
        if not self.norm_first:
            x = self.norm(x)
        layers = []
        for layer in self.layers:
            x = self.run(layer, x)
            layers.append(x)
        if self.norm_first:
            layers[-1] = self.norm(layers[-1])
        return layers

    def forward_intermediates(
        self, waves: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return frames, and of each layer a map (batch, width, frames)."""
        layers = self.encode(waves)
        chosen = zoo.ImageBackboneModule.choose([layer.transpose(1, 2) for layer in layers], indices)
        return chosen if intermediates_only else (layers[-1], chosen)

    def forward_features(self, waves: Tensor) -> Tensor:
        return self.encode(waves)[-1]

    def frame_vectors(self, waves: Tensor) -> Tensor:
        """Return features over time, (batch, frames, frame_features)."""
        return self.forward_features(waves)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = x.mean(1)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def forward(self, waves: Tensor) -> Tensor:
        found = self.forward_features(waves)
        return self.forward_head(found) if self.letters is None else self.letters(found)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        stem = r"^convolutions|^projection|^positions" + ("" if self.norm_first else r"|^norm\.")
        last = [(r"^norm\.", (99_999,))] if self.norm_first else []
        return {"stem": stem, "blocks": [(r"^layers\.(\d+)", None), *last]}
