"""Vectors of texts: the features that a model makes of them, pooled as its head has them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.engine.modes import evaluating
from zoo.inference.text.prompts import Prompts, by_length, checked, padded
from zoo.weights.tokenizer import TextInputs


class Embed:
    """Bound to a loaded model of text as `model.embed`; `inputs` are asked for with the first text."""

    def __init__(self, model: Any, inputs: Callable[[], TextInputs]) -> None:
        self._model = model
        self._find_inputs = inputs

    def __call__(self, texts: str | Sequence[str], *, batch_size: int = 32, normalise: bool = False) -> Tensor:
        """Return vectors (texts, num_features), of length 1 with `normalise`; texts of similar length are batched."""
        several = checked(texts)
        prompts = self._maker.ids(several, min(self._inputs.max_tokens, self._model.context))
        device = next(self._model.parameters()).device
        pad = self._inputs.tokenizer.role("pad") or 0
        found: list[Tensor] = [torch.empty(0)] * len(several)
        with evaluating(self._model):
            for places in by_length(prompts, batch_size):
                ids, mask = padded([prompts[place] for place in places], pad, left=False, device=device)
                seen = None if bool(mask.all()) else mask
                features = self._model.forward_features(ids, seen)
                vectors = self._model.forward_head(features, pre_logits=True, attention_mask=seen)
                for place, vector in zip(places, vectors, strict=True):
                    found[place] = vector
        if not found:
            return torch.empty(0, self._model.num_features, device=device)
        return F.normalize(torch.stack(found), dim=-1) if normalise else torch.stack(found)

    @property
    def inputs(self) -> TextInputs:
        """How the weights take text. Raise NotFoundError where they came without a tokenizer."""
        return self._inputs

    @cached_property
    def _inputs(self) -> TextInputs:
        return self._find_inputs()

    @cached_property
    def _maker(self) -> Prompts:
        return Prompts(self._inputs.tokenizer, "embedded")
