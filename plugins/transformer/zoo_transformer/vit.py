"""Vision transformer (Dosovitskiy et al., 2021): a picture is a sentence of square patches.

As published, with timm's names: norm before attention and before the two layers (pre-norm), queries, keys and values in
one layer, a learnt table of positions, which the class token, the first of the sequence, has a row of. Differs in that
pictures may have any size: they are padded with zeros to whole patches, and the table of positions is resampled where
their grid is another one (timm's `dynamic_img_size`, `dynamic_img_pad`). With pool="avg" the class is told from the
mean of the patches.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import join_heads, split_heads


class ViT(zoo.ImageBackboneModule):
    """Patches, `depth` blocks over all of them, a class. `image_size` is what the table of positions fits."""

    def __init__(
        self,
        *,
        width: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_width: int = 3072,
        image_size: int | list[int] = 224,
        patch_size: int = 16,
        channels: int = 3,
        num_classes: int = 1000,
        pool: Literal["token", "avg"] = "token",
        class_token: bool = True,
        qkv_bias: bool = True,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        drop_path_rate: float = 0.0,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__()
        zoo.check_sizes(width=width, depth=depth, num_heads=num_heads, mlp_width=mlp_width)
        zoo.check_sizes(patch_size=patch_size, channels=channels)
        sides = [image_size, image_size] if isinstance(image_size, int) else image_size
        if width % num_heads or len(sides) != 2 or any(side % patch_size or side < patch_size for side in sides):
            raise ValueError(
                f"num_heads must divide width and patch_size must divide image_size, one number or two, "
                f"not {num_heads}, {width} and {patch_size}, {image_size}"
            )
        if pool not in ("token", "avg") or (pool == "token" and not class_token):
            raise ValueError(f"pool must be token, which takes a class token, or avg, not {pool!r}")
        if not 0 <= drop_path_rate < 1:
            raise ValueError(f"drop_path_rate must be 0 or more and below 1, not {drop_path_rate}")
        self.num_features, self.patch_size, self.pooling = width, patch_size, pool
        self.grid = (sides[0] // patch_size, sides[1] // patch_size)
        if class_token:
            self.cls_token = nn.Parameter(torch.empty(1, 1, width))
        self.num_prefix_tokens = int(class_token)
        self.pos_embed = nn.Parameter(torch.empty(1, self.num_prefix_tokens + self.grid[0] * self.grid[1], width))
        patches = nn.Conv2d(channels, width, kernel_size=patch_size, stride=patch_size)
        self.patch_embed = nn.Sequential(OrderedDict(proj=patches))
        self.dropout = dropout
        dropped = (dropout, attention_dropout)
        rates = [(*dropped, drop_path_rate * place / max(depth - 1, 1)) for place in range(depth)]
        self.blocks = nn.Sequential(*(Block(width, num_heads, mlp_width, item, qkv_bias, norm_eps) for item in rates))
        self.norm = nn.LayerNorm(width, norm_eps) if pool == "token" else nn.Identity()
        self.fc_norm = nn.LayerNorm(width, norm_eps) if pool == "avg" else nn.Identity()
        self.feature_info = [zoo.FeatureInfo(width, patch_size, f"blocks.{place}") for place in range(depth)]
        self.reset_classifier(num_classes)
        self._initialize()

    def embed_patches(self, images: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Return tokens (batch, tokens, width) of images, and how many rows and columns of patches they are."""
        height, width = images.shape[2:]
        x = self.patch_embed(F.pad(images, (0, -width % self.patch_size, 0, -height % self.patch_size)))
        grid = (x.shape[2], x.shape[3])
        x = x.flatten(2).transpose(1, 2)
        if self.num_prefix_tokens:
            x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1)
        return F.dropout(x + self.positions(*grid), self.dropout, self.training), grid

    def positions(self, rows: int, columns: int) -> Tensor:
        """Return the table of positions (1, tokens, width), resampled where the grid is not its own."""
        if (rows, columns) == self.grid:
            return self.pos_embed
        prefix, table = self.pos_embed[:, : self.num_prefix_tokens], self.pos_embed[:, self.num_prefix_tokens :]
        table = table.transpose(1, 2).reshape(1, -1, *self.grid).float()
        resampled = F.interpolate(table, (rows, columns), mode="bicubic", antialias=True)
        return torch.cat([prefix, resampled.flatten(2).transpose(1, 2).to(prefix.dtype)], dim=1)

    def forward_features(self, images: Tensor) -> Tensor:
        """Return tokens (batch, tokens, num_features), the class token first."""
        x, _ = self.embed_patches(images)
        for block in self.blocks:
            x = self.run(block, x)
        tokens: Tensor = self.norm(x)
        return tokens

    def pool(self, x: Tensor) -> Tensor:
        pooled: Tensor = self.fc_norm(x[:, 0] if self.pooling == "token" else x[:, self.num_prefix_tokens :].mean(1))
        return pooled

    def forward_intermediates(
        self, images: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return (tokens, maps), or the maps alone: (batch, width, rows, columns) of every block, without norm."""
        x, grid = self.embed_patches(images)
        tokens = []
        for block in self.blocks:
            x = self.run(block, x)
            tokens.append(x)
        sizes = (x.shape[0], self.num_features, *grid)
        chosen = self.choose(tokens, indices)  # before they become maps, which copies them
        maps = [item[:, self.num_prefix_tokens :].transpose(1, 2).reshape(sizes) for item in chosen]
        return maps if intermediates_only else (self.norm(x), maps)

    def no_weight_decay(self) -> set[str]:
        return {"pos_embed", "cls_token"} if self.num_prefix_tokens else {"pos_embed"}

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        blocks = [(r"^blocks\.(\d+)", None), (r"^norm", (99999,))]
        return {"stem": r"^cls_token|^pos_embed|^patch_embed", "blocks": blocks}

    def _initialize(self) -> None:
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        if self.num_prefix_tokens:
            nn.init.normal_(self.cls_token, std=1e-6)


class Block(nn.Module):
    """Attention, then two layers for each token, both added to what came in.

    `rates` are those of dropout, on what is added and in attention, and that of whole residuals.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        mlp_width: int,
        rates: tuple[float, float, float],
        qkv_bias: bool,
        norm_eps: float,
    ) -> None:
        super().__init__()
        self.dropout, attention_dropout, self.drop_path_rate = rates
        self.norm1 = nn.LayerNorm(width, norm_eps)
        self.attn = Attention(width, num_heads, qkv_bias, attention_dropout)
        self.norm2 = nn.LayerNorm(width, norm_eps)
        self.mlp = nn.Sequential(
            OrderedDict[str, nn.Module](fc1=nn.Linear(width, mlp_width), act=nn.GELU(), fc2=nn.Linear(mlp_width, width))
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropped(self.attn(self.norm1(x)))
        return x + self.dropped(self.mlp(self.norm2(x)))

    def dropped(self, residual: Tensor) -> Tensor:
        """Drop numbers of a residual, and that of whole pictures (Huang et al., 2016), at random in training."""
        residual = F.dropout(residual, self.dropout, self.training)
        if not self.training or not self.drop_path_rate:
            return residual
        return residual * F.dropout(residual.new_ones(len(residual), 1, 1), self.drop_path_rate)


class Attention(nn.Module):
    """Every patch looks at all."""

    def __init__(self, width: int, num_heads: int, qkv_bias: bool, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.dropout = num_heads, dropout
        self.qkv = nn.Linear(width, 3 * width, bias=qkv_bias)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        queries, keys, values = (split_heads(part, self.num_heads) for part in self.qkv(x).chunk(3, dim=-1))
        dropout = self.dropout if self.training else 0.0
        attended: Tensor = self.proj(
            join_heads(F.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout))
        )
        return attended
