"""Vectors of texts: the features that a model makes of them, pooled as its head has them."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.splitting import splits_of
from zoo.data.text.dataset import Documents, TextDataset, TextSplit
from zoo.data.text.typed import named_texts
from zoo.data.text_files import split_lines
from zoo.engine.modes import evaluating
from zoo.inference.text.method import TextMethod
from zoo.inference.text.prompts import by_length, checked, padded
from zoo.specs.modality import DataSource, Samples
from zoo.specs.renamed import renamed_arguments
from zoo.weights.tokenizer import TextInputs


class EmbedTexts(TextMethod):
    """Bound to a loaded model of text as `model.embed`; `opener` opens a data set of texts."""

    modality: ClassVar[str] = "text"

    def __init__(
        self, model: Any, inputs: Callable[[], TextInputs], opener: Callable[[DataSource], TextDataset]
    ) -> None:
        super().__init__(model, inputs, "embedded")
        self._open = opener

    @property
    def normalizes(self) -> bool:
        """Whether vectors are of length 1 unasked, as the weights came with it."""
        return self.inputs.normalize

    @renamed_arguments(normalise="normalize")
    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        batch_size: int = 32,
        normalize: bool = False,
    ) -> Tensor:
        """Return vectors (texts, num_features); texts of similar length are batched.

        They are of length 1 with `normalize`, and where sentence-transformers normalizes those of these weights.
        """
        prompts = self._ids(checked(texts), self._model.context)
        device = next(self._model.parameters()).device
        pad = self.inputs.tokenizer.role("pad") or 0
        found: list[Tensor] = [torch.empty(0)] * len(prompts)
        with evaluating(self._model):
            for indices in by_length(prompts, batch_size):
                ids, mask = padded([prompts[place] for place in indices], pad, left=False, device=device)
                seen = None if bool(mask.all()) else mask
                features = self._model.forward_features(ids, seen)
                vectors = self._model.forward_head(features, pre_logits=True, attention_mask=seen)
                for place, vector in zip(indices, vectors, strict=True):
                    found[place] = vector
        if not found:
            return torch.empty(0, self._model.num_features, device=device)
        return F.normalize(torch.stack(found), dim=-1) if normalize or self.normalizes else torch.stack(found)

    def items(self, arguments: Sequence[str]) -> Samples:
        """Return the texts that were typed, and the lines of files and of those in folders."""
        return _samples((name, text) for name, text, _ in named_texts(arguments))

    def data(self, source: DataSource, split: str) -> Samples:
        """Return the texts of a data set, each line of plain ones, named by split and place."""
        dataset = self._open(source)
        splits = splits_of(dataset.splits, split, dataset.source)
        return _samples(
            (f"{name}/{place}", text) for name, part in splits.items() for place, text in enumerate(_texts(part))
        )

    def draw(self, samples: Samples, nearest: Sequence[Sequence[tuple[int, float]]], out: Path) -> bool:
        """Draw nothing: texts are read."""
        return False


def _samples(named: Iterator[tuple[str, str]]) -> Samples:
    pairs = list(named)
    names, texts = [name for name, _ in pairs], checked([text for _, text in pairs])
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update(json.dumps(pair).encode())
    return Samples(items=texts, names=names, fingerprint=digest.hexdigest())


def _texts(split: TextSplit) -> Iterator[str]:
    if isinstance(split.texts, Documents):
        for piece, _ in split.pieces():
            yield from (line for line in split_lines(piece) if line.strip())
    else:
        yield from split.texts
