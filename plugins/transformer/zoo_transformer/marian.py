"""Marian's transformer (Junczys-Dowmunt et al., 2018; Vaswani et al., 2017): it reads a text and translates it.

The textbook's: norm after each part (post-norm), sine and cosine of positions, one table of tokens for both texts and
the last layer. Differs in that sines fill the first half of the vector and cosines the second, that each token has a
bias in the logits, which is not trained, and by its activation, swish.
"""

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import (
    AttentionView,
    Cache,
    KeyValues,
    attend,
    join_heads,
    keys_values,
    look,
    split_heads,
)
from zoo_transformer.text import ReadingDecoder, initialize, memory_mask

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"swish": F.silu, "silu": F.silu, "relu": F.relu, "gelu": F.gelu}


class Marian(ReadingDecoder):
    """Tokens and positions, `depth` blocks that read, `decoder_depth` that write, logits over the vocabulary.

    `attention_dropout` is as `dropout` where it is None.
    """

    classifier_name = "classifier"
    final_logits_bias: Tensor

    def __init__(
        self,
        *,
        vocab_size: int = 58_101,
        context: int = 512,
        width: int = 512,
        depth: int = 6,
        decoder_depth: int = 6,
        num_heads: int = 8,
        decoder_num_heads: int = 8,
        mlp_width: int = 2048,
        decoder_mlp_width: int = 2048,
        activation: Literal["swish", "silu", "relu", "gelu"] = "swish",
        scale_embedding: bool = True,
        start_token: int = 0,
        num_classes: int = 0,
        dropout: float = 0.0,
        attention_dropout: float | None = None,
        activation_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(vocab_size=vocab_size, context=context, width=width, depth=depth, decoder_depth=decoder_depth)
        zoo.check_sizes(num_heads=num_heads, decoder_num_heads=decoder_num_heads, mlp_width=mlp_width)
        if width % (2 * num_heads) or width % (2 * decoder_num_heads) or activation not in _ACTIVATIONS:
            raise ValueError(
                f"heads must divide half of the width, and activation be one of {', '.join(_ACTIVATIONS)}, "
                f"not {num_heads}, {decoder_num_heads}, {width} and {activation!r}"
            )
        self.num_features, self.context, self.depth, self.start_token = width, context, decoder_depth, start_token
        self.scale = math.sqrt(width) if scale_embedding else 1.0
        self.dropout = dropout
        self.shared = nn.Embedding(vocab_size, width)
        rates = (dropout, dropout if attention_dropout is None else attention_dropout, activation_dropout)
        reads = Shape(width, num_heads, mlp_width, activation, *rates)
        writes = Shape(width, decoder_num_heads, decoder_mlp_width, activation, *rates)
        self.encoder = nn.ModuleList(Block(reads, writes=False) for _ in range(depth))
        self.decoder = nn.ModuleList(Block(writes, writes=True) for _ in range(decoder_depth))
        self.register_buffer("final_logits_bias", torch.zeros(1, vocab_size))
        initialize(self)
        self.reset_classifier(num_classes)

    def forward_features(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        sight = look(input_ids, attention_mask, causal=False)
        return self.read_through(self.encoder, self.embed_tokens(input_ids, sight), sight)

    def decode(
        self,
        decoder_input_ids: Tensor,
        memory: Tensor,
        attention_mask: Tensor | None = None,
        *,
        cache: Cache | None = None,
    ) -> Tensor:
        """Return features (batch, tokens, num_features) of what is written, having read `memory`, and its mask."""
        sight = look(decoder_input_ids, None, cache, causal=True)
        read = AttentionView(sight.positions, memory_mask(attention_mask), causal=False)
        x = self.embed_tokens(decoder_input_ids, sight)
        return self.write_through(self.decoder, x, sight, memory, read, cache)

    def lm_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of the token that follows each of these (..., num_features)."""
        return F.linear(features, self.shared.weight, self.final_logits_bias[0])

    def embed_tokens(self, ids: Tensor, sight: AttentionView) -> Tensor:
        """Return tokens and positions (batch, tokens, width)."""
        x = self.shared(ids) * self.scale + waves(sight.positions, self.num_features).to(self.shared.weight.dtype)
        return self.dropped(x)

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^shared", "blocks": r"^encoder\.(\d+)", "decoder": r"^decoder\.(\d+)"}


class Shape(NamedTuple):
    """What all blocks of a stack have in common."""

    width: int
    num_heads: int
    mlp_width: int
    activation: str
    dropout: float
    attention_dropout: float
    activation_dropout: float


class Block(nn.Module):
    """Attention, over what was read as well where it writes, then two layers; each added, and each sum normalised."""

    def __init__(self, shape: Shape, *, writes: bool) -> None:
        super().__init__()
        self.dropout, self.activation_dropout = shape.dropout, shape.activation_dropout
        self.activation = _ACTIVATIONS[shape.activation]
        self.self_attn, self.self_attn_layer_norm = Attention(shape), nn.LayerNorm(shape.width)
        if writes:
            self.encoder_attn, self.encoder_attn_layer_norm = Attention(shape), nn.LayerNorm(shape.width)
        self.fc1, self.fc2 = nn.Linear(shape.width, shape.mlp_width), nn.Linear(shape.mlp_width, shape.width)
        self.final_layer_norm = nn.LayerNorm(shape.width)

    def forward(
        self,
        x: Tensor,
        sight: AttentionView,
        kept: tuple[KeyValues, KeyValues] | None,
        memory: Tensor | None = None,
        read: AttentionView | None = None,
    ) -> Tensor:
        x = self.self_attn_layer_norm(x + self.dropped(self.self_attn(x, sight, kept and kept[0])))
        if memory is not None and read is not None:
            x = self.encoder_attn_layer_norm(x + self.dropped(self.encoder_attn(x, read, kept and kept[1], memory)))
        inner = F.dropout(self.activation(self.fc1(x)), self.activation_dropout, self.training)
        output: Tensor = self.final_layer_norm(x + self.dropped(self.fc2(inner)))
        return output

    def dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


class Attention(nn.Module):
    """Every token looks at those of its own text that it sees, or at the text that was read."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.num_heads, self.dropout = shape.num_heads, shape.attention_dropout
        self.q_proj, self.k_proj = nn.Linear(shape.width, shape.width), nn.Linear(shape.width, shape.width)
        self.v_proj, self.out_proj = nn.Linear(shape.width, shape.width), nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor, sight: AttentionView, kept: KeyValues | None, memory: Tensor | None = None) -> Tensor:
        queries = split_heads(self.q_proj(x), self.num_heads)
        keys, values = keys_values(self.k_proj, self.v_proj, self.num_heads, x, kept, memory)
        dropout = self.dropout if self.training else 0.0
        attended: Tensor = self.out_proj(join_heads(attend(queries, keys, values, sight, dropout=dropout)))
        return attended


def waves(positions: Tensor, width: int) -> Tensor:
    """Return (batch, tokens, width): the sine and then the cosine of each position, in waves that grow longer."""
    lengths = 10_000 ** (torch.arange(0, width, 2, device=positions.device).double() / width)
    angles = positions.unsqueeze(-1) / lengths
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
