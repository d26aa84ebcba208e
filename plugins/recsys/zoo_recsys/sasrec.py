"""SASRec: a transformer over what a user met, in order (Kang and McAuley, 2018)."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo


class SASRec(zoo.BackboneModule):
    """A causal transformer whose tokens are items; it keeps `zoo.LanguageModel`.

    Items see those before them alone, and a document of its own number in `attention_mask` is alone. Places are counted
    from a history's beginning; of longer ones the last `max_items` are looked at.
    """

    def __init__(
        self,
        *,
        items: int = 1000,
        max_items: int = 200,
        width: int = 64,
        depth: int = 2,
        heads: int = 2,
        dropout: float = 0.2,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(items=items, max_items=max_items, width=width, depth=depth, heads=heads)
        if width % heads:
            raise ValueError(f"width={width} must be a multiple of heads={heads}")
        self.items, self.context, self.num_features = items, max_items, width
        self.item_vectors = nn.Embedding(items, width)
        self.item_bias = nn.Parameter(torch.full((items,), -math.log(items)))  # the logit of chance
        self.positions = nn.Embedding(max_items, width)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        for table in (self.item_vectors, self.positions):
            nn.init.normal_(table.weight, std=width**-0.5)
        self.reset_classifier(num_classes)

    def forward_features(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return a vector for every item of a history, (batch, items, num_features)."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        x = self.dropout(self.item_vectors(input_ids) + self.positions(_places(mask)))
        sees = _sees(mask)
        for block in self.blocks:
            x = self.run(block, x, sees)
        features: Tensor = self.norm(x)
        return features

    def forward_head(self, x: Tensor, pre_logits: bool = False, attention_mask: Tensor | None = None) -> Tensor:
        """Return logits from the last item's vector; with `pre_logits` that vector."""
        pooled = _last(x, attention_mask)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return logits, or the last item's vector where num_classes is 0."""
        return self.forward_head(self.forward_features(input_ids, attention_mask), attention_mask=attention_mask)

    def lm_logits(self, features: Tensor) -> Tensor:
        """Return a logit for every item that may come next."""
        return F.linear(features, self.item_vectors.weight, self.item_bias)

    def item_scores(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return a score for every item as the next one, (batch, items)."""
        features = self.forward_features(input_ids, attention_mask)
        return self.lm_logits(_last(features, attention_mask))

    def candidate_logits(
        self, input_ids: Tensor, mask: Tensor, targets: Tensor, drawn: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return logits of what comes next (batch, items), and of what is drawn (batch, items, drawn)."""
        features = self.forward_features(input_ids, mask)
        positive = (features * self.item_vectors(targets)).sum(2) + self.item_bias[targets]
        return positive, features @ self.item_vectors(drawn).transpose(1, 2) + self.item_bias[drawn][:, None]

    def similar(self, item: int) -> Tensor:
        """Return how near every item is to one: by the cosine of their vectors."""
        vectors = F.normalize(self.item_vectors.weight.detach(), dim=1)
        return vectors @ vectors[item]

    def no_weight_decay(self) -> set[str]:
        """Return the names of tables, which are not decayed."""
        return {"item_vectors.weight", "positions.weight"}

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        """Return how layers are told apart."""
        return {
            "stem": r"^(item_vectors|item_bias|positions)",
            "blocks": [(r"^blocks\.(\d+)", None), (r"^norm", (99999,))],
        }


class Block(nn.Module):
    """Attention and two linear layers, each behind a norm."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(dropout)
        for layer in (self.project, self.narrow):
            nn.init.normal_(layer.weight, std=0.02)

    def forward(self, x: Tensor, sees: Tensor) -> Tensor:
        """Return vectors that have looked at those before them."""
        batch, length, width = x.shape
        parts = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        share = self.dropout.p if self.training else 0.0
        seen = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], attn_mask=sees, dropout_p=share)
        x = x + self.dropout(self.project(seen.transpose(1, 2).reshape(batch, length, width)))
        found: Tensor = x + self.dropout(self.narrow(F.gelu(self.widen(self.norm2(x)))))
        return found


def _places(mask: Tensor) -> Tensor:
    """Return each item's place in its own document, counted from 0."""
    before = torch.cumsum(mask > 0, 1) - 1
    new = torch.ones_like(mask, dtype=torch.bool)
    new[:, 1:] = mask[:, 1:] != mask[:, :-1]
    starts = torch.cummax(torch.where(new & (mask > 0), before, 0), 1).values
    return (before - starts).clamp(min=0)


def _sees(mask: Tensor) -> Tensor:
    """Return what each item looks at, (batch, 1, items, items): those of its document up to itself."""
    length = mask.shape[1]
    before = torch.ones(length, length, dtype=torch.bool, device=mask.device).tril()
    same = (mask[:, :, None] == mask[:, None, :]) & (mask[:, None, :] > 0)
    itself = torch.eye(length, dtype=torch.bool, device=mask.device)  # what sees nothing would be no number
    return ((same & before) | itself)[:, None]


def _last(features: Tensor, mask: Tensor | None) -> Tensor:
    """Return the vector of the last item of each history."""
    if mask is None:
        return features[:, -1]
    places = torch.arange(mask.shape[1], device=mask.device)
    last = torch.where(mask > 0, places, 0).amax(1)
    return features[torch.arange(features.shape[0], device=features.device), last]
