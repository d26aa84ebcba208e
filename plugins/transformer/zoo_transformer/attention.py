"""What attention over text shares: where tokens stand, who sees whom, and the keys and values that are kept."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo


class AttentionView(NamedTuple):
    """Where new tokens stand, (batch or 1, tokens), and which tokens each of them sees.

    `mask` is (batch or 1, 1, tokens, all tokens), None where all see all, or with `causal` all that came before.
    """

    positions: Tensor
    mask: Tensor | None
    causal: bool


class KeyValues:
    """The keys and values (batch, heads, tokens, width) of one layer, in room for `capacity` tokens."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.length = 0
        self.stored: list[Tensor] = []

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keep those of new tokens; return those of all. Raise UsageError where there is no room for them."""
        if (total := self.length + keys.shape[2]) > self.capacity:
            raise zoo.UsageError(
                f"{total} tokens are more than the cache has room for; create it with capacity={total}"
            )
        if not self.stored:
            self.stored = [x.new_empty(*x.shape[:2], self.capacity, x.shape[3]) for x in (keys, values)]
        start, self.length = self.length, total
        for kept, new in zip(self.stored, (keys, values), strict=True):
            kept[:, :, start : self.length] = new
        kept_keys, kept_values = (kept[:, :, : self.length] for kept in self.stored)
        return kept_keys, kept_values

    def hold(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Keep those of a text that has been read, once and for all; return them."""
        self.stored, self.length = [keys, values], keys.shape[2]
        return keys, values

    def select(self, rows: Tensor) -> None:
        """Go on with these rows of the batch, in this order."""
        for place, kept in enumerate(self.stored):
            if len(rows) == len(kept):  # the room that is still empty need not be copied
                kept[:, :, : self.length] = kept[rows, :, : self.length]
            else:
                self.stored[place] = kept[rows]


class Cache:
    """What a model keeps of the tokens it has seen: keys and values of every layer, for at most `capacity` tokens.

    `read` is what a decoder that `reads` another text keeps of that one.
    """

    def __init__(self, depth: int, capacity: int, *, reads: bool = False) -> None:
        self.capacity = capacity
        self.layers = [KeyValues(capacity) for _ in range(depth)]
        self.read = [KeyValues(0) for _ in range(depth)] if reads else []

    @property
    def length(self) -> int:
        """How many tokens it has seen."""
        return self.layers[0].length

    def select(self, rows: Tensor) -> None:
        """Go on with these rows of the batch, in this order: beams that live on."""
        for layer in (*self.layers, *self.read):
            layer.select(rows)


def look(
    input_ids: Tensor, attention_mask: Tensor | None, cache: Cache | None = None, *, causal: bool
) -> AttentionView:
    """Return the sight of new tokens (batch, tokens) behind those that the cache holds.

    `attention_mask` (batch, all tokens) numbers them: tokens see those of their own number, and positions begin with
    it. 1 and 0 tell text from padding, on either side; 1, 2, 3 … the documents that are packed in a row.
    """
    tokens, seen = input_ids.shape[1], cache.length if cache else 0
    total = seen + tokens
    if tokens == 0:
        raise zoo.UsageError("these texts have no tokens; begin each with one, such as the tokenizer's start token")
    indices = torch.arange(total, device=input_ids.device)
    before = indices[seen:, None] >= indices if causal and tokens > 1 and (seen or attention_mask is not None) else None
    if attention_mask is None:
        mask = None if before is None else before[None, None]
        return AttentionView(indices[None, seen:], mask, causal and tokens > 1 and not seen)
    if attention_mask.shape != (input_ids.shape[0], total):
        raise zoo.UsageError(
            f"attention_mask is {tuple(attention_mask.shape)}, not {(input_ids.shape[0], total)}: it numbers "
            "all tokens, those in the cache included"
        )
    begins = F.pad(attention_mask[:, 1:] != attention_mask[:, :-1], (1, 0))
    positions = indices - (begins * indices).cummax(1).values
    alike = attention_mask[:, seen:, None] == attention_mask[:, None, :]
    mask = alike if before is None else alike & before
    return AttentionView(positions[:, seen:], mask[:, None], causal=False)


def attend(queries: Tensor, keys: Tensor, values: Tensor, sight: AttentionView, *, dropout: float = 0.0) -> Tensor:
    """Return (batch, heads, tokens, width): of the values those whose keys answer the queries.

    Keys and values may have fewer heads, each of which then serves several queries' (Ainslie et al., 2023).
    """
    return F.scaled_dot_product_attention(
        queries,
        keys,
        values,
        attn_mask=sight.mask,
        dropout_p=dropout,
        is_causal=sight.causal,
        enable_gqa=queries.shape[1] != keys.shape[1],
    )


def keys_values(
    key: nn.Module, value: nn.Module, num_heads: int, x: Tensor, kept: KeyValues | None, memory: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return keys and values of a text, or of the `memory` of another, which is looked at once where they are kept."""
    if memory is not None and kept is not None and kept.length:
        keys, values = kept.stored
        return keys, values
    source = x if memory is None else memory
    keys, values = (split_heads(layer(source), num_heads) for layer in (key, value))
    if kept is None:
        return keys, values
    return kept.extend(keys, values) if memory is None else kept.hold(keys, values)


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Return (batch, heads, tokens, width / heads) of (batch, tokens, width)."""
    return x.view(*x.shape[:-1], num_heads, -1).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """Return (batch, tokens, width) of (batch, heads, tokens, width / heads)."""
    return x.transpose(1, 2).flatten(2)


def check_length(sight: AttentionView, cache: Cache | None, context: int) -> None:
    """Raise UsageError where there are more tokens than the model has positions for."""
    total = sight.positions.shape[1] + (cache.length if cache else 0)
    if total > context:
        raise zoo.UsageError(f"{total} tokens are more than the context of {context}; shorten the text")
