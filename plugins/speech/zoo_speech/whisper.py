"""Whisper (Radford et al., 2022): an encoder of log-mel spectrograms, and a decoder that writes what it heard."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo

_KERNEL = 3


class _Kept(NamedTuple):
    """Keys and values of the tokens written so far, and of what was heard."""

    own: tuple[Tensor, Tensor]
    heard: tuple[Tensor, Tensor]


class _Attention(nn.Module):
    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(3))
        self.k_proj = nn.Linear(width, width, bias=False)

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self._heads(self.k_proj(x)), self._heads(self.v_proj(x))

    def forward(self, x: Tensor, keys_values: tuple[Tensor, Tensor], causal: bool = False) -> Tensor:
        found = F.scaled_dot_product_attention(self._heads(self.q_proj(x)), *keys_values, is_causal=causal)
        output: Tensor = self.out_proj(found.transpose(1, 2).flatten(2))
        return output

    def _heads(self, x: Tensor) -> Tensor:
        return x.view(*x.shape[:2], self.num_heads, -1).transpose(1, 2)


class _Layer(nn.Module):
    def __init__(self, width: int, num_heads: int, mlp_width: int, *, writes: bool) -> None:
        super().__init__()
        self.self_attn, self.self_attn_layer_norm = _Attention(width, num_heads), nn.LayerNorm(width)
        if writes:
            self.encoder_attn, self.encoder_attn_layer_norm = _Attention(width, num_heads), nn.LayerNorm(width)
        self.fc1, self.fc2 = nn.Linear(width, mlp_width), nn.Linear(mlp_width, width)
        self.final_layer_norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.self_attn_layer_norm(x)
        return self._mlp(x + self.self_attn(inner, self.self_attn.keys_values(inner)))

    def write(self, x: Tensor, memory: Tensor, kept: _Kept | None) -> tuple[Tensor, _Kept]:
        """Return features of tokens that see those before them and what was heard, and what is kept for the next."""
        inner = self.self_attn_layer_norm(x)
        keys, values = self.self_attn.keys_values(inner)
        if kept is not None:
            keys, values = torch.cat([kept.own[0], keys], 2), torch.cat([kept.own[1], values], 2)
        heard = self.encoder_attn.keys_values(memory) if kept is None else kept.heard
        x = x + self.self_attn(inner, (keys, values), causal=kept is None)
        x = x + self.encoder_attn(self.encoder_attn_layer_norm(x), heard)
        return self._mlp(x), _Kept((keys, values), heard)

    def _mlp(self, x: Tensor) -> Tensor:
        found: Tensor = x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))
        return found


class _Encoder(nn.Module):
    def __init__(self, mels: int, context: int, width: int, layers: Iterable[_Layer]) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(mels, width, _KERNEL, 1, 1)
        self.conv2 = nn.Conv1d(width, width, _KERNEL, 2, 1)
        self.embed_positions = nn.Embedding(context, width)
        self.layers = nn.ModuleList(layers)
        self.layer_norm = nn.LayerNorm(width)


class _Decoder(nn.Module):
    def __init__(self, vocab_size: int, context: int, width: int, layers: Iterable[_Layer]) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab_size, width)
        self.embed_positions = nn.Embedding(context, width)
        self.layers = nn.ModuleList(layers)
        self.layer_norm = nn.LayerNorm(width)


class Whisper(zoo.BackboneModule):
    """Log-mel spectrograms (batch, mels, frames) to features (batch, half of the frames, width), pooled over time.

    `context` is how many such features there can be. With `writes` there is a decoder as well, of up to `text_context`
    tokens, until a head takes its place.
    """

    decoder: _Decoder | None

    def __init__(
        self,
        *,
        mels: int = 80,
        context: int = 1500,
        text_context: int = 448,
        vocab_size: int = 51_865,
        width: int = 384,
        depth: int = 4,
        decoder_depth: int = 4,
        num_heads: int = 6,
        decoder_num_heads: int = 6,
        mlp_width: int = 1536,
        decoder_mlp_width: int = 1536,
        writes: bool = False,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        zoo.check_sizes(mels=mels, context=context, text_context=text_context, vocab_size=vocab_size, width=width)
        zoo.check_sizes(depth=depth, decoder_depth=decoder_depth, num_heads=num_heads)
        zoo.check_sizes(decoder_num_heads=decoder_num_heads, mlp_width=mlp_width, decoder_mlp_width=decoder_mlp_width)
        if width % 2 or width % num_heads or width % decoder_num_heads:
            raise ValueError(f"width={width} must be even, and a multiple of {num_heads} and {decoder_num_heads} heads")
        layers = (_Layer(width, num_heads, mlp_width, writes=False) for _ in range(depth))
        self.encoder = _Encoder(mels, context, width, layers)
        self.context, self.text_context, self.vocab_size = context, text_context, vocab_size
        self.num_features = self.frame_features = width
        self.frame_steps = ((_KERNEL, 1, 1), (_KERNEL, 2, 1))
        self.feature_info = [zoo.FeatureInfo(width, 2, f"encoder.layers.{place}") for place in range(depth)]
        self.reset_classifier(num_classes)
        if writes and not num_classes:
            layers = (_Layer(width, decoder_num_heads, decoder_mlp_width, writes=True) for _ in range(decoder_depth))
            self.decoder = _Decoder(vocab_size, text_context, width, layers)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, (nn.Linear, nn.Conv1d)) and module.bias is not None:
                nn.init.zeros_(module.bias)
        self.encoder.embed_positions.weight.data.copy_(_waves(context, width))

    def reset_classifier(self, num_classes: int) -> None:
        """Put a fresh head in place, also of the decoder; 0 takes it away."""
        self.decoder = None
        super().reset_classifier(num_classes)

    def encode(self, x: Tensor) -> list[Tensor]:
        """Return the frames after each layer, normalized after the last."""
        x = F.gelu(self.encoder.conv2(F.gelu(self.encoder.conv1(x)))).transpose(1, 2)
        if x.shape[1] > self.context:
            raise zoo.UsageError(f"{x.shape[1]:,} frames, and this model hears {self.context:,}; cut sounds shorter")
        x = x + self.encoder.embed_positions.weight[: x.shape[1]]
        layers = []
        for layer in self.encoder.layers:
            x = self.run(layer, x)
            layers.append(x)
        layers[-1] = self.encoder.layer_norm(layers[-1])
        return layers

    def write(self, tokens: Tensor, memory: Tensor, kept: list[_Kept] | None = None) -> tuple[Tensor, list[_Kept]]:
        """Return logits (batch, tokens, vocab_size) of what follows tokens, and what is kept for those behind them.

        `memory` are the features of what was heard; with `kept` one token is given, the one behind those it holds.
        """
        decoder = self.decoder
        assert decoder is not None
        before = 0 if kept is None else kept[0].own[0].shape[2]
        positions = decoder.embed_positions.weight[before : before + tokens.shape[1]]
        x = decoder.embed_tokens(tokens) + positions
        found: list[_Kept] = []
        layer: Any
        for place, layer in enumerate(decoder.layers):
            x, own = layer.write(x, memory, None if kept is None else kept[place])
            found.append(own)
        return F.linear(decoder.layer_norm(x), decoder.embed_tokens.weight), found

    def forward_intermediates(
        self, x: Tensor, indices: int | Sequence[int] | None = None, *, intermediates_only: bool = False
    ) -> Any:
        """Return features, and of each layer of the encoder a map (batch, width, frames)."""
        layers = self.encode(x)
        chosen = zoo.ImageBackboneModule.choose([layer.transpose(1, 2) for layer in layers], indices)
        return chosen if intermediates_only else (layers[-1], chosen)

    def forward_features(self, x: Tensor) -> Tensor:
        return self.encode(x)[-1]

    def frame_vectors(self, x: Tensor) -> Tensor:
        """Return features over time, (batch, frames, frame_features)."""
        return self.forward_features(x)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        pooled = x.mean(1)
        logits: Tensor = pooled if pre_logits else self.get_classifier()(pooled)
        return logits

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        stem = r"^encoder\.conv|^encoder\.embed_positions|^decoder"
        return {"stem": stem, "blocks": [(r"^encoder\.layers\.(\d+)", None), (r"^encoder\.layer_norm", (99_999,))]}


def _waves(count: int, width: int) -> Tensor:
    """Return the sines and then the cosines of each position, in waves that grow longer."""
    half = width // 2
    rates = torch.exp(-math.log(10_000) / max(half - 1, 1) * torch.arange(half))
    angles = torch.arange(count)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)
