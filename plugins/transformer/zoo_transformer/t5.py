"""T5 (Raffel et al., 2020): an encoder that reads a text, and a decoder that writes another.

Differs from the textbook transformer: no positions, but a learnt bias of each head for how far apart two tokens are, in
buckets that widen with the distance, and one table for all blocks of a stack; norms by the root mean square, before
each part; no biases; attention is not scaled, which its initial weights make up for; where `tied`, the table of tokens
is also the last layer, whose input is scaled down. feed_forward="gated-gelu" is that of version 1.1.
"""

from typing import Any, Literal

import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_transformer.attention import Cache, look
from zoo_transformer.t5_stack import Shape, Stack
from zoo_transformer.text import ReadingDecoder, memory_mask


class T5(ReadingDecoder):
    """Tokens, `depth` blocks that read, `decoder_depth` that write, logits over the vocabulary."""

    classifier_name = "classifier"

    def __init__(
        self,
        *,
        vocab_size: int = 32_128,
        context: int = 512,
        width: int = 512,
        depth: int = 6,
        decoder_depth: int = 6,
        num_heads: int = 8,
        head_width: int = 64,
        mlp_width: int = 2048,
        feed_forward: Literal["relu", "gated-gelu"] = "relu",
        num_buckets: int = 32,
        max_distance: int = 128,
        tied: bool = True,
        start_token: int = 0,
        num_classes: int = 0,
        dropout: float = 0.0,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__()
        zoo.check_sizes(
            vocab_size=vocab_size, width=width, depth=depth, decoder_depth=decoder_depth, num_heads=num_heads
        )
        zoo.check_sizes(head_width=head_width, mlp_width=mlp_width)
        if feed_forward not in ("relu", "gated-gelu") or not 4 <= num_buckets < max_distance:
            raise ValueError("feed_forward is relu or gated-gelu, num_buckets 4 or more, max_distance more than that")
        self.num_features, self.context, self.depth, self.start_token = width, context, decoder_depth, start_token
        self.tied, self.dropout = tied, dropout
        shape = Shape(width, num_heads, head_width, mlp_width, feed_forward, dropout, norm_eps)
        self.shared = nn.Embedding(vocab_size, width)
        self.encoder = Stack(shape, depth, (num_buckets, max_distance), writes=False)
        self.decoder = Stack(shape, decoder_depth, (num_buckets, max_distance), writes=True)
        self.lm_head = None if tied else nn.Linear(width, vocab_size, bias=False)
        self._initialize(shape)
        self.reset_classifier(num_classes)

    def forward_features(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        sight = look(input_ids, attention_mask, causal=False)
        bias = self.encoder.bias(0, input_ids.shape[1], sight.mask)
        x = self.read_through(self.encoder.block, self.dropped(self.shared(input_ids)), bias)
        return self.dropped(self.encoder.norm(x))

    def decode(
        self,
        decoder_input_ids: Tensor,
        memory: Tensor,
        attention_mask: Tensor | None = None,
        *,
        cache: Cache | None = None,
    ) -> Tensor:
        """Return features (batch, tokens, num_features) of what is written, having read `memory`, and its mask."""
        bias = self.decoder.bias(cache.length if cache else 0, decoder_input_ids.shape[1], None)
        x = self.dropped(self.shared(decoder_input_ids))
        x = self.write_through(self.decoder.block, x, bias, memory, memory_mask(attention_mask), cache)
        return self.dropped(self.decoder.norm(x))

    def lm_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., vocab_size) of the token that follows each of these (..., num_features)."""
        if self.lm_head is None:
            return F.linear(features * self.num_features**-0.5, self.shared.weight)
        logits: Tensor = self.lm_head(features)
        return logits

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        encoder, decoder = (
            [
                (rf"^{stack}\.relative_attention_bias", (0,)),
                (rf"^{stack}\.block\.(\d+)", None),
                (rf"^{stack}\.norm", (99999,)),
            ]
            for stack in ("encoder", "decoder")
        )
        return {"stem": r"^shared", "blocks": encoder, "decoder": decoder}

    def _initialize(self, shape: Shape) -> None:
        nn.init.normal_(self.shared.weight, std=1.0)
        inputs = {"q": shape.width * shape.head_width, "o": shape.num_heads * shape.head_width, "wo": shape.mlp_width}
        for name, module in self.named_modules():
            kind = name.rpartition(".")[2]
            if isinstance(module, nn.Linear) or kind == "relative_attention_bias":
                nn.init.normal_(module.get_parameter("weight"), std=inputs.get(kind, shape.width) ** -0.5)
