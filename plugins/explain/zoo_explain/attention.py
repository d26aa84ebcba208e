"""The attention of any model that calls torch's own, recorded as it is computed, and what follows from it."""

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class RecordedAttention(TorchFunctionMode):
    """Compute attention by its equation for the length of the block, and keep who looks at whom.

    `weights` are (batch, heads, tokens, all tokens) of one layer after the other, through which gradients pass.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights: list[Tensor] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        names = ("query", "key", "value", "attn_mask", "dropout_p", "is_causal")
        given = {**dict(zip(names, args, strict=False)), **(kwargs or {})}
        weights, values = _attention(given)
        self.weights.append(weights)
        return weights @ values


def _attention(given: dict[str, Any]) -> tuple[Tensor, Any]:
    queries, keys, values = given["query"], given["key"], given["value"]
    if given.get("enable_gqa"):
        times = queries.shape[1] // keys.shape[1]
        keys, values = keys.repeat_interleave(times, 1), values.repeat_interleave(times, 1)
    scale = given.get("scale")
    logits = queries @ keys.transpose(-2, -1) * (1 / math.sqrt(queries.shape[-1]) if scale is None else scale)
    mask = given.get("attn_mask")
    if given.get("is_causal"):
        mask = torch.ones(logits.shape[-2:], dtype=torch.bool, device=logits.device).tril()
    if mask is not None:
        logits = logits.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else logits + mask
    weights: Tensor = logits.softmax(-1).nan_to_num()
    return weights, values  # a token of padding that sees none looks at nothing


def read_by(score: Tensor, features: Tensor) -> Tensor:
    """Return how much a score takes from each token (batch, tokens), by its gradients, in shares of 1."""
    (gradients,) = torch.autograd.grad(score.sum(), features, retain_graph=True)
    sizes = gradients.float().norm(dim=-1)
    shares: Tensor = sizes / sizes.sum(1, keepdim=True).clamp(min=1e-30)
    return shares


def gradient_weighted(score: Tensor, weights: Sequence[Tensor]) -> list[Tensor]:
    """Return for each layer (batch, tokens, all tokens): attention by its gradient where positive, mean over heads.

    Equation 5 of Chefer et al., 2021.
    """
    gradients = torch.autograd.grad(score.sum(), list(weights), retain_graph=True, allow_unused=True)
    return [
        torch.zeros_like(one[:, 0]) if gradient is None else (gradient * one).clamp(min=0).mean(1).detach()
        for one, gradient in zip(weights, gradients, strict=True)
    ]


def relevance(layers: Sequence[Tensor]) -> Tensor:
    """Return (batch, tokens, tokens): R = I, then R = R + A R for each layer (equation 6 of Chefer et al., 2021)."""
    tokens = layers[0].shape[-1]
    found = torch.eye(tokens, device=layers[0].device).expand(len(layers[0]), -1, -1)
    for layer in layers:
        found = found + layer.float() @ found
    return found


def rollout(weights: Sequence[Tensor]) -> Tensor:
    """Return (batch, tokens, tokens): the product over layers of half attention, half the token itself.

    Abnar and Zuidema, 2020.
    """
    tokens = weights[0].shape[-1]
    itself = torch.eye(tokens, device=weights[0].device)
    found = itself.expand(len(weights[0]), -1, -1)
    for layer in weights:
        found = (layer.float().mean(1) + itself) / 2 @ found
    return found
