"""GPT-2 (Radford et al., 2019): a decoder alone, that predicts the next token.

Differs from the textbook transformer: norm before attention and before the two layers, and once more at the end; a
learnt table of positions; GELU by its tanh formula; queries, keys and values in one layer; the table of tokens is also
the last layer, which gives the logits. Layers that add to the residual start smaller, by the root of their number.
`embedding_dropout` and `attention_dropout` are as `dropout` where they are None.
"""

import math
from collections import OrderedDict
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import (
    AttentionView,
    Cache,
    KeyValues,
    attend,
    check_length,
    join_heads,
    look,
    split_heads,
)
from zoo_transformer.text import Decoder, initialize


class GPT2(Decoder):
    """Tokens and positions, `depth` blocks, logits over the vocabulary."""

    classifier_name = "score"

    def __init__(
        self,
        *,
        vocab_size: int = 50_257,
        context: int = 1024,
        width: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_width: int | None = None,
        num_classes: int = 0,
        dropout: float = 0.0,
        embedding_dropout: float | None = None,
        attention_dropout: float | None = None,
        norm_eps: float = 1e-5,
    ) -> None:
        super().__init__()
        zoo.check_sizes(vocab_size=vocab_size, context=context, width=width, depth=depth, num_heads=num_heads)
        if width % num_heads:
            raise ValueError(f"num_heads must divide width, not {num_heads} and {width}")
        self.num_features, self.context, self.depth = width, context, depth
        self.wte = nn.Embedding(vocab_size, width)
        self.wpe = nn.Embedding(context, width)
        self.drop = nn.Dropout(dropout if embedding_dropout is None else embedding_dropout)
        rates = (dropout, dropout if attention_dropout is None else attention_dropout)
        self.h = nn.ModuleList(Block(width, num_heads, mlp_width or 4 * width, rates, norm_eps) for _ in range(depth))
        self.ln_f = nn.LayerNorm(width, norm_eps)
        initialize(self)
        for name, parameter in self.named_parameters():
            if name.endswith("c_proj.weight"):
                nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * depth))
        self.reset_classifier(num_classes)

    def forward_features(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, *, cache: Cache | None = None
    ) -> Tensor:
        sight = look(input_ids, attention_mask, cache, causal=True)
        check_length(sight, cache, self.context)
        x = self.drop(self.wte(input_ids) + self.wpe(sight.positions))
        for layer, block in enumerate(self.h):
            x = self.run(block, x, sight, cache and cache.layers[layer])
        features: Tensor = self.ln_f(x)
        return features

    def lm_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of the token that follows each of these (..., num_features)."""
        return F.linear(features, self.wte.weight)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^wte|^wpe", "blocks": [(r"^h\.(\d+)", None), (r"^ln_f", (99999,))]}


class Block(nn.Module):
    """Attention, then two layers for each token, both added to what came in.

    `rates` are those of dropout: on what is added, and in attention.
    """

    def __init__(self, width: int, num_heads: int, mlp_width: int, rates: tuple[float, float], norm_eps: float) -> None:
        super().__init__()
        dropout, _ = rates
        self.ln_1 = nn.LayerNorm(width, norm_eps)
        self.attn = Attention(width, num_heads, rates)
        self.ln_2 = nn.LayerNorm(width, norm_eps)
        layers = {
            "c_fc": nn.Linear(width, mlp_width),
            "act": nn.GELU(approximate="tanh"),
            "c_proj": nn.Linear(mlp_width, width),
            "dropout": nn.Dropout(dropout),
        }
        self.mlp = nn.Sequential(OrderedDict[str, nn.Module](layers))

    def forward(self, x: Tensor, sight: AttentionView, kept: KeyValues | None) -> Tensor:
        x = x + self.attn(self.ln_1(x), sight, kept)
        output: Tensor = x + self.mlp(self.ln_2(x))
        return output


class Attention(nn.Module):
    """Every token looks at those that it sees."""

    def __init__(self, width: int, num_heads: int, rates: tuple[float, float]) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout, self.attention_dropout = rates
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, sight: AttentionView, kept: KeyValues | None) -> Tensor:
        queries, keys, values = (split_heads(part, self.num_heads) for part in self.c_attn(x).chunk(3, dim=-1))
        if kept is not None:
            keys, values = kept.extend(keys, values)
        dropout = self.attention_dropout if self.training else 0.0
        attended = self.c_proj(join_heads(attend(queries, keys, values, sight, dropout=dropout)))
        return F.dropout(attended, self.dropout, self.training)
