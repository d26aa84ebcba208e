"""Learn to rank items: from what is taken out of the middle, and from what came last."""

import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_pairs.items import Items
from zoo_pairs.model import Ranker

_BEST = 10


class _Ranking:
    """What both have in common: how items are scored, and how good that is."""

    network: nn.Module
    inputs: Items
    learner: zoo.FinetuneMethod

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.network}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"model": self.learner.optimizer()}

    def export(self) -> nn.Module:
        return self.learner.export()

    def scores(self, items: Tensor) -> Tensor:
        raise NotImplementedError

    @torch.no_grad()
    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return in percent how often what came next is among the first ten, and how far up."""
        places = torch.cat([self._places(batch) for batch in batches])
        gains = torch.where(places < _BEST, math.log(2) / (places + 2).log(), 0.0)
        return {
            "ndcg@10": 100 * float(gains.mean()),
            "recall@10": 100 * float((places < _BEST).float().mean()),
        }

    @torch.no_grad()
    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        batch = next(iter(batches))
        lines = ["| took | place of the next |", "| --- | --- |"]
        for row, place in list(zip(batch["items"].tolist(), self._places(batch).tolist(), strict=True))[:10]:
            lines.append(f"| {' '.join(self.inputs.names[item - 1] for item in row if item)} | {place + 1:.0f} |")
        path = folder / "ranks.md"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return [path]

    def _places(self, batch: zoo.Batch) -> Tensor:
        """Return how many items that a user has not taken are ranked above the next one."""
        with zoo.evaluating(self.network):
            scores = unseen(self.scores(batch["items"]), batch["items"])
        wanted = scores.gather(1, batch["next"][:, None] - 1)
        return (scores > wanted).sum(1).float()


class MaskedItems(_Ranking):
    """Cross-entropy over all items, of one that is taken out of each row."""

    def __init__(self, settings: zoo.TrainingSettings, model: Any, classes: tuple[str, ...], inputs: Items) -> None:
        self.inputs = inputs
        self.network = model
        self.learner = zoo.learner(settings, model)

    def scores(self, items: Tensor) -> Tensor:
        network: Any = self.network
        scores: Tensor = network.rank(items)
        return scores

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        items = batch["items"]
        place = (draws.uniform("masked") * (items > 0).sum(1)).long()[:, None]
        masked = items.scatter(1, place, 0)
        yield zoo.Loss("model", F.cross_entropy(self.scores(masked), items.gather(1, place)[:, 0].long() - 1))


class NextItem(_Ranking):
    """Cross-entropy over all items, of the one that came last."""

    def __init__(self, settings: zoo.FinetuneSettings, model: Any, classes: tuple[str, ...], inputs: Items) -> None:
        self.inputs = inputs
        self.network = model if isinstance(model, Ranker) else Ranker(model, 0)
        self.network.to(next(model.parameters()).device)
        self.learner = zoo.learner(settings, self.network)

    def scores(self, items: Tensor) -> Tensor:
        scores: Tensor = self.network(items)
        return scores

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        yield zoo.Loss("model", F.cross_entropy(self.scores(batch["items"]), batch["next"] - 1))


def unseen(scores: Tensor, items: Tensor) -> Tensor:
    """Return scores in which the items that were taken are the last."""
    whole = F.pad(scores, (1, 0)).scatter(1, items.long(), -torch.inf)
    return whole[:, 1:]
