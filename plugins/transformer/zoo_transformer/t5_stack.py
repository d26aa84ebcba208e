"""What T5 is made of: a stack of blocks that read, or that write."""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_transformer.attention import KeyValues, join_heads, keys_values, split_heads
from zoo_transformer.norms import RMSNorm


class Shape(NamedTuple):
    """What all blocks of a T5 have in common."""

    width: int
    num_heads: int
    head_width: int
    mlp_width: int
    feed_forward: str
    dropout: float
    norm_eps: float


class Stack(nn.Module):
    """Blocks, a norm, and the bias for distances that all blocks share. `buckets` are how many, and up to where."""

    def __init__(self, shape: Shape, depth: int, buckets: tuple[int, int], *, writes: bool) -> None:
        super().__init__()
        self.num_buckets, self.max_distance = buckets
        self.writes = writes
        self.relative_attention_bias = nn.Embedding(self.num_buckets, shape.num_heads)
        self.block = nn.ModuleList(Block(shape, writes=writes) for _ in range(depth))
        self.norm = RMSNorm(shape.width, shape.norm_eps)

    def bias(self, seen: int, tokens: int, mask: Tensor | None) -> Tensor:
        """Return (batch or 1, heads, tokens, all tokens): what is added where a token looks, -inf where it may not."""
        places = torch.arange(seen + tokens, device=self.relative_attention_bias.weight.device)
        distances = places - places[seen:, None]
        bias: Tensor = self.relative_attention_bias(self.buckets(distances)).permute(2, 0, 1).unsqueeze(0)
        if self.writes:
            bias = bias.masked_fill(distances > 0, -torch.inf)
        return bias if mask is None else bias.masked_fill(~mask, -torch.inf)

    def buckets(self, distances: Tensor) -> Tensor:
        """Return the bucket of each distance: wider for longer ones, and others for either side where it reads."""
        count = self.num_buckets if self.writes else self.num_buckets // 2
        sides = 0 if self.writes else count * (distances > 0)
        apart = (-distances).clamp(min=0) if self.writes else distances.abs()
        exact = count // 2
        ratio = (apart.clamp(min=1).float() / exact).log() / math.log(self.max_distance / exact)
        wide = (exact + (ratio * (count - exact)).long()).clamp(max=count - 1)
        return sides + torch.where(apart < exact, apart, wide)


class Block(nn.Module):
    """Attention, over what was read as well where it writes, then two layers; each added to what came in."""

    def __init__(self, shape: Shape, *, writes: bool) -> None:
        super().__init__()
        self.dropout = shape.dropout
        width, norm_eps = shape.width, shape.norm_eps
        self.attention_norm, self.attention = RMSNorm(width, norm_eps), Attention(shape)
        if writes:
            self.cross_norm, self.cross = RMSNorm(width, norm_eps), Attention(shape)
        self.layers_norm, self.layers = RMSNorm(width, norm_eps), Layers(shape)

    def forward(
        self,
        x: Tensor,
        bias: Tensor,
        kept: tuple[KeyValues, KeyValues] | None,
        memory: Tensor | None = None,
        seen: Tensor | None = None,
    ) -> Tensor:
        x = x + self.dropped(self.attention(self.attention_norm(x), bias, kept and kept[0]))
        if memory is not None:
            x = x + self.dropped(self.cross(self.cross_norm(x), seen, kept and kept[1], memory))
        return x + self.dropped(self.layers(self.layers_norm(x)))

    def dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class Attention(nn.Module):
    """Every token looks at all of its text, or of the one that was read; the mask is added, or says who is seen."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.num_heads, self.dropout = shape.num_heads, shape.dropout
        heads_width = shape.num_heads * shape.head_width
        self.q = nn.Linear(shape.width, heads_width, bias=False)
        self.k = nn.Linear(shape.width, heads_width, bias=False)
        self.v = nn.Linear(shape.width, heads_width, bias=False)
        self.o = nn.Linear(heads_width, shape.width, bias=False)

    def forward(self, x: Tensor, mask: Tensor | None, kept: KeyValues | None, memory: Tensor | None = None) -> Tensor:
        queries = split_heads(self.q(x), self.num_heads)
        keys, values = keys_values(self.k, self.v, self.num_heads, x, kept, memory)
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(queries, keys, values, mask, dropout, scale=1.0)
        output: Tensor = self.o(join_heads(attended))
        return output


class Layers(nn.Module):
    """Two layers for each token, the first of them gated where the kind says so."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.dropout = shape.dropout
        width, mlp_width = shape.width, shape.mlp_width
        self.gated = shape.feed_forward == "gated-gelu"
        if self.gated:
            self.wi_0 = nn.Linear(width, mlp_width, bias=False)
            self.wi_1 = nn.Linear(width, mlp_width, bias=False)
        else:
            self.wi = nn.Linear(width, mlp_width, bias=False)
        self.wo = nn.Linear(mlp_width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x) if self.gated else F.relu(self.wi(x))
        output: Tensor = self.wo(F.dropout(inner, self.dropout, self.training))
        return output
