"""What every text backbone here has in common: features of tokens, one vector of a text, a head for classes."""

from collections.abc import Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import Cache


class TextModel(zoo.BackboneModule):
    """A text backbone. A subclass gives `forward_features`, `pool`, `num_features`, `context` and `group_matcher`."""

    context: int
    """How many tokens it has positions for, or was made for."""

    def forward_features(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return a vector for every token, (batch, tokens, num_features)."""
        raise NotImplementedError

    def pool(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        """Return a vector for every text, (batch, num_features)."""
        raise NotImplementedError

    def forward_head(self, x: Tensor, pre_logits: bool = False, attention_mask: Tensor | None = None) -> Tensor:
        """Return logits of classes from features of tokens; with `pre_logits` the pooled features."""
        pooled = self.pool(x, attention_mask)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return self.forward_head(self.forward_features(input_ids, attention_mask), attention_mask=attention_mask)

    def make_classifier(self, num_classes: int) -> nn.Module:
        """Return a fresh head, its layers drawn as all others are."""
        like = next(self.parameters())
        head = self.classifier_layers(num_classes).to(like.device, like.dtype)
        initialize(head)
        return head

    def classifier_layers(self, num_classes: int) -> nn.Module:
        """Return the layers of a head."""
        return nn.Linear(self.num_features, num_classes, bias=False)


class Decoder(TextModel):
    """A text backbone whose tokens see those before them, and whose last token has seen all."""

    depth: int

    def new_cache(self, capacity: int) -> Cache:
        """Return an empty cache for at most so many tokens, for `forward_features(..., cache=cache)`."""
        return Cache(self.depth, capacity)

    def pool(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        if attention_mask is None:
            return x[:, -1]
        places = torch.arange(x.shape[1], device=x.device)
        last = (places * (attention_mask != 0)).argmax(1)
        return x[torch.arange(x.shape[0], device=x.device), last]


class ReadingDecoder(TextModel):
    """A text backbone that reads one text and writes another. A subclass gives `decode`.

    Its features for classes are the mean of what the encoder makes of the tokens.
    """

    depth: int
    start_token: int
    dropout: float

    def read_through(self, blocks: Iterable[nn.Module], x: Tensor, sight: Any) -> Tensor:
        """Return what blocks make of a text that is read; `sight` says what its tokens see."""
        for block in blocks:
            x = self.run(block, x, sight, None)
        return x

    def write_through(
        self, blocks: Iterable[nn.Module], x: Tensor, sight: Any, memory: Tensor, read: Any, cache: Cache | None
    ) -> Tensor:
        """Return what blocks make of tokens that are written, having read `memory`, of which they see what `read` says.

        With a cache these are the new tokens, behind those it holds.
        """
        for layer, block in enumerate(blocks):
            kept = (cache.layers[layer], cache.read[layer]) if cache else None
            x = self.run(block, x, sight, kept, memory, read)
        return x

    def dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)

    def new_cache(self, capacity: int) -> Cache:
        """Return an empty cache for at most so many tokens that are written, for `decode(..., cache=cache)`."""
        return Cache(self.depth, capacity, reads=True)

    def pool(self, x: Tensor, attention_mask: Tensor | None) -> Tensor:
        return mean_of_tokens(x, attention_mask)

    def classifier_layers(self, num_classes: int) -> nn.Module:
        return nn.Linear(self.num_features, num_classes)


def mean_of_tokens(x: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Return the mean (batch, width) of (batch, tokens, width) where the mask is not 0."""
    if attention_mask is None:
        return x.mean(1)
    weights = (attention_mask != 0).to(x.dtype).unsqueeze(-1)
    return (x * weights).sum(1) / weights.sum(1).clamp(min=1)


def memory_mask(attention_mask: Tensor | None) -> Tensor | None:
    """Return which tokens of the text that was read are seen by those that are written, (batch, 1, 1, tokens)."""
    return None if attention_mask is None else (attention_mask != 0)[:, None, None, :]


def initialize(model: nn.Module, std: float = 0.02) -> None:
    """Draw matrices and tables of embeddings from a normal distribution; biases are zero."""
    for module in model.modules():
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=std)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
