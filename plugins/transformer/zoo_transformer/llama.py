"""Llama (Touvron et al., 2023): a decoder alone, that predicts the next token.

Differs from GPT-2: positions turn queries and keys, pair by pair of dimensions (Su et al., 2021); norms by the root
mean square, without a mean; a gate in place of the first of the two layers (SwiGLU, Shazeer, 2020); no biases; fewer
heads of keys and values than of queries, where `num_kv_heads` says so; the last layer is the table of tokens where
`tied`, and else one of its own.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import AttentionView, Cache, KeyValues, attend, join_heads, look, split_heads
from zoo_transformer.norms import RMSNorm
from zoo_transformer.text import Decoder, initialize


class Llama(Decoder):
    """Tokens, `depth` blocks, logits over the vocabulary. Texts longer than `context` are computed, but none was seen.

    `lm_head` says whether there is a last layer where it is not `tied`. `attention_dropout` is as `dropout` where it is
    None.
    """

    classifier_name = "score"

    def __init__(
        self,
        *,
        vocab_size: int = 49_152,
        context: int = 2048,
        width: int = 576,
        depth: int = 30,
        num_heads: int = 9,
        num_kv_heads: int | None = 3,
        head_width: int | None = None,
        mlp_width: int = 1536,
        tied: bool = True,
        lm_head: bool = True,
        num_classes: int = 0,
        dropout: float = 0.0,
        attention_dropout: float | None = None,
        rope_theta: float = 100_000.0,
        norm_eps: float = 1e-5,
    ) -> None:
        super().__init__()
        num_kv_heads = num_kv_heads or num_heads
        zoo.check_sizes(vocab_size=vocab_size, width=width, depth=depth, num_heads=num_heads, mlp_width=mlp_width)
        if num_heads % num_kv_heads or not (head_width or width % num_heads == 0):
            raise ValueError(
                f"num_kv_heads must divide num_heads, and that width, not {num_kv_heads}, {num_heads}, {width}"
            )
        self.num_features, self.context, self.depth = width, context, depth
        self.head_width = head_width or width // num_heads
        self.rope_theta = rope_theta
        heads = (num_heads, num_kv_heads, self.head_width)
        self.embed_tokens = nn.Embedding(vocab_size, width)
        rates = (dropout, dropout if attention_dropout is None else attention_dropout)
        self.layers = nn.ModuleList(Block(width, heads, mlp_width, rates, norm_eps) for _ in range(depth))
        self.norm = RMSNorm(width, norm_eps)
        self.tied = tied
        self.lm_head = nn.Linear(width, vocab_size, bias=False) if lm_head and not tied else None
        initialize(self)
        self.reset_classifier(num_classes)

    def forward_features(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, *, cache: Cache | None = None
    ) -> Tensor:
        sight = look(input_ids, attention_mask, cache, causal=True)
        x = self.embed_tokens(input_ids)
        turns = turns_of(sight.positions, self.head_width, self.rope_theta, x.dtype)
        for layer, block in enumerate(self.layers):
            x = self.run(block, x, turns, sight, cache and cache.layers[layer])
        features: Tensor = self.norm(x)
        return features

    def lm_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of the token that follows each of these (..., num_features)."""
        if self.tied:
            return F.linear(features, self.embed_tokens.weight)
        if self.lm_head is None:
            raise zoo.UsageError("this llama was stored without its last layer; load weights for text-generation")
        logits: Tensor = self.lm_head(features)
        return logits

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^embed_tokens", "blocks": [(r"^layers\.(\d+)", None), (r"^norm", (99999,))]}


class Block(nn.Module):
    """Attention, then a gated layer and another for each token, both added to what came in.

    `rates` are those of dropout: on what is added, and in attention.
    """

    def __init__(
        self, width: int, heads: tuple[int, int, int], mlp_width: int, rates: tuple[float, float], norm_eps: float
    ) -> None:
        super().__init__()
        self.dropout, attention_dropout = rates
        self.input_layernorm = RMSNorm(width, norm_eps)
        self.self_attn = Attention(width, heads, attention_dropout)
        self.post_attention_layernorm = RMSNorm(width, norm_eps)
        self.mlp = GatedLayers(width, mlp_width)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], sight: AttentionView, kept: KeyValues | None) -> Tensor:
        attended = self.self_attn(self.input_layernorm(x), turns, sight, kept)
        x = x + F.dropout(attended, self.dropout, self.training)
        return x + F.dropout(self.mlp(self.post_attention_layernorm(x)), self.dropout, self.training)


class Attention(nn.Module):
    """Every token looks at those that it sees. `heads` are those of queries, those of keys, and the width of one."""

    def __init__(self, width: int, heads: tuple[int, int, int], dropout: float) -> None:
        super().__init__()
        self.num_heads, self.num_kv_heads, head_width = heads
        self.dropout = dropout
        self.q_proj = nn.Linear(width, self.num_heads * head_width, bias=False)
        self.k_proj = nn.Linear(width, self.num_kv_heads * head_width, bias=False)
        self.v_proj = nn.Linear(width, self.num_kv_heads * head_width, bias=False)
        self.o_proj = nn.Linear(self.num_heads * head_width, width, bias=False)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], sight: AttentionView, kept: KeyValues | None) -> Tensor:
        queries = turned(split_heads(self.q_proj(x), self.num_heads), turns)
        keys = turned(split_heads(self.k_proj(x), self.num_kv_heads), turns)
        values = split_heads(self.v_proj(x), self.num_kv_heads)
        if kept is not None:
            keys, values = kept.extend(keys, values)
        dropout = self.dropout if self.training else 0.0
        attended: Tensor = self.o_proj(join_heads(attend(queries, keys, values, sight, dropout=dropout)))
        return attended


class GatedLayers(nn.Module):
    """One layer opens and shuts what another says (SwiGLU)."""

    def __init__(self, width: int, mlp_width: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, mlp_width, bias=False)
        self.up_proj = nn.Linear(width, mlp_width, bias=False)
        self.down_proj = nn.Linear(mlp_width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return output


def turns_of(positions: Tensor, head_width: int, theta: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return cosine and sine (batch, 1, tokens, head_width / 2) of the angle by which each pair of dimensions turns."""
    pairs = torch.arange(0, head_width, 2, device=positions.device) / head_width
    angles = positions[:, None, :, None] / theta**pairs
    return angles.cos().to(dtype), angles.sin().to(dtype)


def turned(x: Tensor, turns: tuple[Tensor, Tensor]) -> Tensor:
    """Turn each pair of dimensions, of which one lies in the first half and one in the second."""
    cosine, sine = turns
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
