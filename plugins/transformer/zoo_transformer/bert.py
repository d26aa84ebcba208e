"""BERT (Devlin et al., 2019): an encoder, pretrained to guess the words that were masked.

As published, with transformers' names: norm after attention and after the two layers (post-norm), learnt tables of
positions and of which text of a pair a token is in. The class is told from the first token, by a layer and a tanh (the
pooler) and a second one. With `pooler` the pretrained one is kept, as a part of the backbone; without it both layers
are the head, and fresh. pool="avg" takes the mean of the tokens in place of the first. `attention_dropout` and
`classifier_dropout` are as `dropout` where they are None.
RoBERTa (Liu et al., 2019) and DistilBERT (Sanh et al., 2019) are this network, too. `position_offset` counts positions
from further on, as RoBERTa's table has rows that no token takes; where `num_segments` is 0 or 1 a token is in none, or
in the only one; `head_activation` is what follows the first layer of the head. RoBERTa's head drops before its first
layer as well, ours does not.
The table of tokens is also the last layer of the language-model head. Next-sentence prediction is left out. With
`approximate_gelu` GELU is by a tanh in the blocks, as the authors' own code and KerasHub have it.
"""

from collections import OrderedDict
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import AttentionView, attend, check_length, join_heads, look, split_heads
from zoo_transformer.text import TextModel, initialize, mean_of_tokens


class BERT(TextModel):
    """Tokens, positions and segments, `depth` blocks over all of them, a class or the masked words."""

    def __init__(
        self,
        *,
        vocab_size: int = 30_522,
        context: int = 512,
        width: int = 768,
        depth: int = 12,
        num_heads: int = 12,
        mlp_width: int = 3072,
        num_segments: int = 2,
        pool: Literal["token", "avg"] = "token",
        lm_head: bool = True,
        pooler: bool = False,
        num_classes: int = 0,
        dropout: float = 0.0,
        attention_dropout: float | None = None,
        classifier_dropout: float | None = None,
        norm_eps: float = 1e-12,
        approximate_gelu: bool = False,
        position_offset: int = 0,
        head_activation: Literal["tanh", "relu"] = "tanh",
    ) -> None:
        super().__init__()
        zoo.check_sizes(vocab_size=vocab_size, context=context, width=width, depth=depth, num_heads=num_heads)
        zoo.check_sizes(mlp_width=mlp_width)
        if min(num_segments, position_offset) < 0 or head_activation not in ("tanh", "relu"):
            raise ValueError(
                f"num_segments and position_offset must be 0 or more, not {num_segments} and {position_offset}; "
                f"head_activation is tanh or relu, not {head_activation!r}"
            )
        if width % num_heads or pool not in ("token", "avg"):
            raise ValueError(f"num_heads must divide width, not {num_heads} and {width}; pool is token or avg")
        self.num_features, self.context, self.pooling = width, context, pool
        self.position_offset, self.head_activation = position_offset, head_activation
        self.embeddings = Embeddings(vocab_size, context + position_offset, num_segments, width, dropout, norm_eps)
        gelu = "tanh" if approximate_gelu else "none"
        rates = (dropout, dropout if attention_dropout is None else attention_dropout)
        blocks = nn.ModuleList(Block(width, num_heads, mlp_width, rates, norm_eps, gelu) for _ in range(depth))
        self.encoder = nn.ModuleDict({"layer": blocks})
        self.cls = nn.ModuleDict({"predictions": MaskedWords(vocab_size, width, norm_eps)}) if lm_head else None
        self.pooler = nn.ModuleDict({"dense": nn.Linear(width, width)}) if pooler else None
        self.classifier_dropout = dropout if classifier_dropout is None else classifier_dropout
        initialize(self)
        self.reset_classifier(num_classes)

    def forward_features(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        sight = look(input_ids, attention_mask, causal=False)
        check_length(sight, None, self.context)
        x: Tensor = self.embeddings(input_ids, token_type_ids, sight.positions + self.position_offset)
        for block in self.encoder["layer"]:  # type: ignore[attr-defined]
            x = self.run(block, x, sight)
        return x

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        features = self.forward_features(input_ids, attention_mask, token_type_ids)
        return self.forward_head(features, attention_mask=attention_mask)

    def lm_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of the token that stands at each of these places (..., num_features)."""
        if self.cls is None:
            raise zoo.UsageError("this bert was stored without its language-model head; load weights for fill-mask")
        logits: Tensor = self.cls["predictions"](features, self.embeddings.word_embeddings.weight)
        return logits

    def pool(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        if self.pooling == "token":
            return x[:, 0]
        return mean_of_tokens(x, attention_mask)

    def forward_head(self, x: Tensor, pre_logits: bool = False, attention_mask: Tensor | None = None) -> Tensor:
        pooled = self.pool(x, attention_mask)
        if pre_logits or not self.num_classes:
            return pooled
        if self.pooler is not None:
            pooled = self.activation()(self.pooler["dense"](pooled))
        logits: Tensor = self.get_classifier()(pooled)
        return logits

    def activation(self) -> nn.Module:
        """Return what follows the first layer of the head."""
        return nn.Tanh() if self.head_activation == "tanh" else nn.ReLU()

    def classifier_layers(self, num_classes: int) -> nn.Module:
        fresh = {"dense": nn.Linear(self.num_features, self.num_features), "act": self.activation()}
        layers = {
            **(fresh if self.pooler is None else {}),
            "dropout": nn.Dropout(self.classifier_dropout),
            "out": nn.Linear(self.num_features, num_classes),
        }
        return nn.Sequential(OrderedDict[str, nn.Module](layers))

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^embeddings", "blocks": r"^encoder\.layer\.(\d+)"}


class Embeddings(nn.Module):
    """The sum of what a token, its position and its segment are."""

    def __init__(
        self, vocab_size: int, num_positions: int, num_segments: int, width: int, dropout: float, norm_eps: float
    ) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, width)
        self.position_embeddings = nn.Embedding(num_positions, width)
        self.token_type_embeddings = nn.Embedding(num_segments, width) if num_segments else None
        self.LayerNorm = nn.LayerNorm(width, norm_eps)
        self.dropout = nn.Dropout(dropout)

    def forward(self, input_ids: Tensor, token_type_ids: Tensor | None, positions: Tensor) -> Tensor:
        x = self.word_embeddings(input_ids)
        if (table := self.token_type_embeddings) is not None:
            one = token_type_ids is None or table.num_embeddings == 1
            x = x + table(torch.zeros_like(positions) if one else token_type_ids)
        x = x + self.position_embeddings(positions)
        embedded: Tensor = self.dropout(self.LayerNorm(x))
        return embedded


class Block(nn.Module):
    """Attention, then two layers for each token, both added to what came in, each sum normalised.

    `rates` are those of dropout: on what is added, and in attention.
    """

    def __init__(
        self,
        width: int,
        num_heads: int,
        mlp_width: int,
        rates: tuple[float, float],
        norm_eps: float,
        gelu: str,
    ) -> None:
        super().__init__()
        self.gelu = gelu
        self.num_heads = num_heads
        dropout, self.attention_dropout = rates
        projections = nn.ModuleDict({name: nn.Linear(width, width) for name in ("query", "key", "value")})
        self.attention = nn.ModuleDict({"self": projections, "output": ResidualNorm(width, width, dropout, norm_eps)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, mlp_width)})
        self.output = ResidualNorm(mlp_width, width, dropout, norm_eps)

    def forward(self, x: Tensor, sight: AttentionView) -> Tensor:
        x = self.attention["output"](self.attend(x, sight), x)
        summed: Tensor = self.output(F.gelu(self.intermediate["dense"](x), approximate=self.gelu), x)
        return summed

    def attend(self, x: Tensor, sight: AttentionView) -> Tensor:
        layers: Any = self.attention["self"]
        queries, keys, values = (split_heads(layers[name](x), self.num_heads) for name in ("query", "key", "value"))
        dropout = self.attention_dropout if self.training else 0.0
        return join_heads(attend(queries, keys, values, sight, dropout=dropout))


class ResidualNorm(nn.Module):
    """A layer, added to what came in before it, and a norm."""

    def __init__(self, inputs: int, width: int, dropout: float, norm_eps: float) -> None:
        super().__init__()
        self.dense = nn.Linear(inputs, width)
        self.dropout = nn.Dropout(dropout)
        self.LayerNorm = nn.LayerNorm(width, norm_eps)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        summed: Tensor = self.LayerNorm(before + self.dropout(self.dense(x)))
        return summed


class MaskedWords(nn.Module):
    """Which word stands where: a layer and a norm, then how alike the outcome is to each word."""

    def __init__(self, vocab_size: int, width: int, norm_eps: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        layers = {"dense": nn.Linear(width, width), "act": nn.GELU(), "LayerNorm": nn.LayerNorm(width, norm_eps)}
        self.transform = nn.Sequential(OrderedDict[str, nn.Module](layers))

    def forward(self, x: Tensor, words: Tensor) -> Tensor:
        return F.linear(self.transform(x), words, self.bias)
