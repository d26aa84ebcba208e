"""Say of which classes texts are, and which words are hidden in them."""

import inspect
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from zoo.data.text.encoding import encoded_rows
from zoo.errors import UsageError
from zoo.inference.text.prompts import padded
from zoo.tasks.classification_predictor import class_row, classes_of
from zoo.tasks.multi_label import MultiLabelTextClassifier
from zoo.weights.tokenizer import TextInputs

_LISTED = 5


class TextClassificationPredictor:
    """The five most probable classes of each text; where it may have several, those that are likelier than not."""

    columns = ("label", "score", "next")

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: TextInputs) -> None:
        if not labels:
            raise UsageError("these weights are not a text classifier; finetune them for text-classification first")
        self.model = model
        self.labels = labels
        self.inputs = inputs
        self.several = isinstance(model, MultiLabelTextClassifier)
        forward: Any = type(model).forward
        self._takes_segments = "token_type_ids" in inspect.signature(forward).parameters

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[dict[str, Any]]:
        """Return `{"predictions": [{"label", "score"}, …]}` for each text, the most probable class first."""
        ids, segments = encoded_rows(texts, pairs, self.inputs)
        device = next(self.model.parameters()).device
        input_ids, mask = padded(ids, self.inputs.tokenizer.role("pad") or 0, left=False, device=device)
        given = {"input_ids": input_ids, "attention_mask": mask}
        if segments is not None and self._takes_segments:
            given["token_type_ids"], _ = padded(segments, 0, left=False, device=device)
        return classes_of(self.model(**given).float(), self.labels, several=self.several)

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return the class, its probability, and what else it might be."""
        return class_row(result, several=self.several)


class FillMaskPredictor:
    """The five most probable tokens in place of each mask."""

    columns = ("word", "score", "text")

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: TextInputs) -> None:
        self.model: Any = model
        self.inputs = inputs
        self.mask = inputs.tokenizer.needed("mask")

    def __call__(self, texts: Sequence[str], pairs: Sequence[str] | None) -> list[dict[str, Any]]:
        """Return for each text `predictions`, `{"token", "score", "text"}`, the most probable first.

        Of several masks each has its own list; `text` has one of them filled in, and the others as they are.
        """
        ids, _ = encoded_rows(texts, pairs, self.inputs)
        for text, row in zip(texts, ids, strict=True):
            if self.mask not in row:
                sign = self.inputs.tokenizer.roles["mask"]
                raise UsageError(f"{text[:40]!r} has no mask; write {sign} in place of the word to predict")
        device = next(self.model.parameters()).device
        input_ids, mask = padded(ids, self.inputs.tokenizer.role("pad") or 0, left=False, device=device)
        features = self.model.forward_features(input_ids, mask)
        results = []
        for row, said in zip(ids, features, strict=True):
            indices = [place for place, token in enumerate(row) if token == self.mask]
            chances = self.model.lm_logits(said[indices]).float().softmax(-1)
            lists = [self._filled(row, place, chance) for place, chance in zip(indices, chances, strict=True)]
            results.append({"predictions": lists[0] if len(lists) == 1 else lists})
        return results

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return the likeliest word of each mask, its probability, and the text with the first one."""
        found = result["predictions"]
        first = [part[0] for part in found] if isinstance(found[0], list) else [found[0]]
        words, scores = ", ".join(item["token"] for item in first), ", ".join(f"{item['score']:.3f}" for item in first)
        return [words, scores, first[0]["text"]]

    def _filled(self, row: list[int], place: int, chance: Tensor) -> list[dict[str, Any]]:
        tokenizer = self.inputs.tokenizer
        scores, tokens = chance.topk(min(_LISTED, len(chance)))
        return [
            {
                "token": tokenizer.decode([token]),
                "score": score,
                "text": tokenizer.decode([*row[:place], token, *row[place + 1 :]]),
            }
            for score, token in zip(scores.tolist(), tokens.tolist(), strict=True)
        ]
