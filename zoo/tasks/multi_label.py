"""Classification where a picture may show several classes at once, or none: its network, and its scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.engine.pictures import bar_chart

_THRESHOLD = 0.5
"""The probability from which on a class counts as seen."""


class MultiLabelClassifier(nn.Module):
    """A backbone whose classifier says of each class by itself whether a picture shows it.

    It computes what the backbone does; that config.json names it tells who loads it that logits go through a sigmoid.
    """

    def __init__(self, backbone: nn.Module, num_classes: int) -> None:
        super().__init__()
        if cast(Any, backbone).num_classes != num_classes:
            cast(Any, backbone).reset_classifier(num_classes)
        self.backbone = backbone
        self.num_classes = num_classes
        self.arguments: dict[str, Any] = {}

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.backbone(images)
        return logits


class MultiLabelTextClassifier(MultiLabelClassifier):
    """The same of texts."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        logits: Tensor = self.backbone(input_ids, attention_mask)
        return logits


def seen(logits: Tensor) -> Tensor:
    """Return which classes are seen, as booleans of the logits' shape."""
    return logits.sigmoid() >= _THRESHOLD


def class_loss(logits: Tensor, targets: Tensor, smoothing: float, *, several: bool) -> Tensor:
    """Return cross-entropy, or where a sample may have several classes the binary one of each class by itself."""
    if not several:
        return F.cross_entropy(logits, targets, label_smoothing=smoothing)
    return F.binary_cross_entropy_with_logits(logits.float(), targets.float() * (1 - smoothing) + smoothing / 2)


def precision_chart(scores: Mapping[str, float], out: Path) -> Path:
    """Draw the average precision of each class, as `multi_label_scores` gives it."""
    precision = {name.removeprefix("ap/"): value / 100 for name, value in scores.items() if name.startswith("ap/")}
    return bar_chart(precision, out, title=f"average precision, mean {scores['map'] / 100:.3f}")


def average_precision(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the average precision of each class, (classes,), NaN for those that no picture shows.

    `logits` and `labels`, of 0 and 1, are (samples, classes). Pictures of equal logits come in together.
    """
    count = len(logits)
    ranked, order = logits.double().sort(0, descending=True)
    right = labels.gather(0, order).double()
    # Up to which place the logits are no smaller than the one here: the rank at which a threshold lets it in
    ends = torch.searchsorted(-ranked.T.contiguous(), -ranked.T.contiguous(), right=True).T.clamp(max=count)
    precision = right.cumsum(0).gather(0, ends - 1) / ends
    return (precision * right).sum(0) / right.sum(0)


def multi_label_scores(logits: Tensor, labels: Tensor, classes: Sequence[str]) -> dict[str, float]:
    """Return scores in percent, of logits and labels (samples, classes).

    `accuracy` is the share of right answers to whether a picture shows a class, `exact` that of pictures with all of
    them right. `map` is the mean of the average precision over the classes that some picture shows. `f1_micro` is over
    all answers, and `f1_macro` the mean over all classes, 0 for those never shown nor seen, as in scikit-learn.
    """
    labels = labels.bool()
    right = seen(logits) == labels
    true, found = labels.sum(0).double(), seen(logits).sum(0).double()
    both = (seen(logits) & labels).sum(0).double()
    occurs = true > 0
    precision = average_precision(logits, labels)
    scores = {
        "accuracy": right.double().mean(),
        "exact": right.all(1).double().mean(),
        "map": precision[occurs].mean(),
        "f1_micro": 2 * both.sum() / (true + found).sum().clamp(min=1),
        "f1_macro": (2 * both / (true + found).clamp(min=1)).mean(),
        **{f"ap/{name}": precision[place] for place, name in enumerate(classes) if occurs[place]},
    }
    return {name: 100 * float(value.nan_to_num()) for name, value in scores.items()}
