"""Watch the features of a self-supervised model while it trains: probe, k-NN score, rank, and pictures of them."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_cnn.pretraining.backbone import pooled
from zoo_cnn.pretraining.classifying import class_labels
from zoo_cnn.pretraining.heads import LinearProbe
from zoo_cnn.pretraining.neighbours import FeatureBank, effective_rank, nearest, neighbour_votes
from zoo_cnn.pretraining.settings import ViewSettings
from zoo_cnn.pretraining.views import size_of_views, two_views

LossOf = Callable[[Tensor, zoo.Draws], Tensor]
"""Gives the mean loss of pictures."""


class Observer:
    """What learns beside a self-supervised model, from detached features, and what is said of those."""

    def __init__(
        self, settings: ViewSettings, model: nn.Module, classes: tuple[str, ...], preprocessing: zoo.Preprocessing
    ) -> None:
        self.settings = settings
        self.model = model
        self.classes = classes
        self.preprocessing = preprocessing
        self.size = size_of_views(model, preprocessing, settings.view_size)
        self.num_features = int(cast(zoo.Backbone, model).num_features)
        device = next(model.parameters()).device
        self.probe = LinearProbe(self.num_features, len(classes)).to(device) if classes else None
        self.bank = FeatureBank(settings.bank_size if classes else 0, self.num_features).to(device)

    def features(self, images: Tensor) -> Tensor:
        """Return the model's pooled features (batch, num_features) of pictures in [0, 1]."""
        return pooled(self.model, images, self.preprocessing)

    def modules(self) -> Mapping[str, nn.Module]:
        return {"feature_bank": self.bank, **({"linear_probe": self.probe} if self.probe else {})}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        if self.probe is None:
            return {}
        groups = [{"params": list(self.probe.parameters()), "lr": self.settings.probe_rate, "weight_decay": 0.0}]
        return {"linear_probe": zoo.make_optimizer("adam", groups, self.settings)}

    def observe(self, batch: zoo.Batch) -> Iterator[zoo.Loss]:
        """Look at a share of the pictures of a training step as they are; yield the loss of the probe, where it is.

        The features of views would do for neither: whole pictures have others, and a different mean.
        """
        count = math.ceil(self.settings.observed * len(batch["images"]))
        labels = class_labels(batch)
        if labels is None:
            self.bank.push(batch["images"].new_zeros(count, self.num_features), None)
            return
        with zoo.evaluating(self.model):
            features, labels = self.features(batch["images"][:count]).float(), labels[:count]
        self.bank.push(features, labels)
        if self.probe is not None:
            yield zoo.Loss("linear_probe", F.cross_entropy(self.probe(features), labels))

    def scores(self, batches: Iterable[zoo.Batch], loss: LossOf) -> dict[str, float]:
        """Return the rank of the features, and in percent what k-NN and probe get right where there are labels.

        The loss and the probe are there after training alone, not in exported weights; k-NN then asks the other
        pictures of the batches.
        """
        seen, labels, total = [], [], torch.zeros((), dtype=torch.float64)
        trained = int(self.bank.seen) > 0
        with zoo.evaluating(*self.modules().values(), self.model):
            for batch in batches:
                images = batch["images"]
                seen.append(self.features(images).float())
                if (known := class_labels(batch)) is not None:
                    labels.append(known)
                if trained:
                    draws = zoo.Draws(self.settings.seed, 0, batch["index"])
                    total += loss(images, draws).double().cpu() * len(images)
            features = torch.cat(seen)
            found = {"loss": float(total) / len(features)} if trained else {}
            found["rankme"] = effective_rank(features)
            return {**found, **(self._class_scores(features, torch.cat(labels)) if labels else {})}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        """Draw two views of some pictures, the nearest neighbours of some, and a map of all features."""
        kept = list(batches)
        images = torch.cat([batch["images"] for batch in kept])
        known = [labels for batch in kept if (labels := class_labels(batch)) is not None]
        labels = torch.cat(known) if known else None
        with zoo.evaluating(self.model):
            features = torch.cat([self.features(batch["images"]) for batch in kept])
        shown = images[:16]
        draws = zoo.Draws(self.settings.seed, 0, kept[0]["index"][:16])
        views = two_views(shown, draws, self.settings, list(shown.shape[2:])).chunk(2)
        near = [images[places] for places in nearest(features[:16], features, 6).T]
        captions = ("picture", *["neighbour"] * (len(near) - 1))
        return [
            zoo.image_grid([shown, *views], folder / "views.png", captions=("picture", "view", "view")),
            zoo.image_grid(near, folder / "neighbours.png", captions=captions),
            zoo.feature_map(features, folder / "features.png", labels=labels, class_names=self.classes),
        ]

    def _class_scores(self, seen: Tensor, labels: Tensor) -> dict[str, float]:
        neighbours = self.settings.neighbours
        if int(self.bank.seen) and len(self.bank.labels):
            references, known = self.bank.filled()
            votes = neighbour_votes(seen, references, known, len(self.classes), neighbours=neighbours)
        else:
            classes = int(labels.max()) + 1
            votes = neighbour_votes(seen, seen, labels, classes, neighbours=neighbours, leave_own_out=True)
        found = {"knn": _percent(votes, labels)}
        if self.probe is not None and int(self.bank.seen):
            found["linear_probe"] = _percent(self.probe(seen), labels)
        return found


def _percent(scores: Tensor, labels: Tensor) -> float:
    return 100 * float((scores.argmax(1) == labels).double().mean())
