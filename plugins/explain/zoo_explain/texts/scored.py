"""What of a text's prediction is explained: the logit of a class, or that of a word in place of the first mask."""

import inspect
from typing import Any, NamedTuple

import torch
from torch import Tensor

import zoo
from zoo_explain.images.subjects import class_index
from zoo_explain.texts.explainer import Encoded


class Scored(NamedTuple):
    """What is explained of each text: its class or token, what that is called, and how likely it is."""

    places: Tensor
    names: list[str]
    scores: list[float]


class TextSubject:
    """A task's: it gives logits (batch, classes or tokens) of features, and says what they stand for."""

    def __init__(self, loaded: zoo.Loaded, tokenizer: zoo.Tokenizer) -> None:
        model = loaded.model
        self.model: Any = model.backbone if isinstance(model, zoo.Network) else model
        self.labels: tuple[str, ...] = loaded.description.labels
        self.several = isinstance(model, zoo.Network)
        self.tokenizer = tokenizer
        task = loaded.description.task
        if task not in ("text-classification", "fill-mask"):
            raise zoo.UsageError(f"nobody here explains {task} by its tokens; choose another method")
        self.mask = tokenizer.needed("mask") if task == "fill-mask" else None
        if self.mask is None and not self.labels:
            raise zoo.UsageError("these weights are not a text classifier; finetune them for text-classification first")
        forward: Any = self.model.forward_features
        self.takes_segments = "token_type_ids" in inspect.signature(forward).parameters

    def features(self, ids: Tensor, mask: Tensor, segments: Tensor | None) -> Tensor:
        """Return a vector for every token."""
        given = {"token_type_ids": segments} if segments is not None and self.takes_segments else {}
        found: Tensor = self.model.forward_features(ids, mask, **given)
        return found

    def logits(self, features: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        """Return logits of classes, or of the words in place of the first mask."""
        if self.mask is None:
            found: Tensor = self.model.forward_head(features, attention_mask=mask)
            return found
        first = (ids == self.mask).int().argmax(1)
        found = self.model.lm_logits(features[torch.arange(len(ids), device=ids.device), first])
        return found

    def choose(self, texts: Encoded, target: str | None) -> Scored:
        """Choose what is predicted, or what is asked for. Raise UsageError for what there is not."""
        if self.mask is not None and not bool((texts.ids == self.mask).any(1).all()):
            sign = self.tokenizer.roles["mask"]
            raise zoo.UsageError(f"a text has no mask; write {sign} in place of the word to predict")
        with torch.no_grad():
            features = self.features(texts.ids, texts.mask, texts.segments)
            logits = self.logits(features, texts.ids, texts.mask).float()
        likely = logits.sigmoid() if self.several else logits.softmax(1)
        places = likely.argmax(1) if target is None else torch.full_like(likely[:, 0], self._place(target)).long()
        scores = likely.gather(1, places[:, None])[:, 0].tolist()
        return Scored(places, [self._name(place) for place in places.tolist()], scores)

    def _place(self, target: str) -> int:
        if self.mask is None:
            return class_index(target, self.labels)
        (encoding,) = self.tokenizer.encode([target], special=False)
        if len(encoding.ids) != 1:
            raise zoo.UsageError(f"{target!r} is {len(encoding.ids)} tokens here, and a mask stands for one; give one")
        return int(encoding.ids[0])

    def _name(self, place: int) -> str:
        return self.labels[place] if self.mask is None else self.tokenizer.decode([place])
