"""The recipes: how each kind of model learns, and how all are scored alike.

closed_form: no loss, a solution. multinomial: -sum x log softmax(f(x)) + w KL(q(z|x) || N(0, I)); Liang et al., 2018.
pairwise: -log s(x_ui - x_uj) + w (|u|^2 + |i|^2 + |j|^2) / 2; Rendle et al., 2009.
next_item: -(b log s(r+) + sum log(1 - s(r-))), b = a (t (1 - 1/a) + 1/a), a the share of items that is drawn;
Petrov and Macdonald, 2023, eq. 12.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_recsys.closed_form import Solution, fill
from zoo_recsys.factorization import SpreadVectors, adjacency
from zoo_recsys.history import histories
from zoo_recsys.ranking import last_items, top_items
from zoo_recsys.scoring import Scores, score
from zoo_recsys.vocabulary import Vocabulary

Classes = tuple[str, ...]


class Ranking:
    """What all have in common; a subclass gives `step`."""

    def __init__(self, settings: Any, model: nn.Module, classes: Classes, vocabulary: Vocabulary) -> None:
        self.settings = settings
        self.vocabulary = vocabulary
        self.count = len(vocabulary.table.names)
        self.learner = zoo.learner(settings, model)
        self.model: Any = self.learner.network

    def modules(self) -> Mapping[str, nn.Module]:
        return {"model": self.model}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"model": self.learner.optimizer()}

    def export(self) -> nn.Module:
        return self.learner.export()

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the scores of full rankings, over all users of the batches."""
        return self.scores(batches).means()

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        from zoo_recsys.pictures import draw_scores

        return [draw_scores(self.scores(batches), self.settings.k, folder / "recommendations.png")]

    @torch.no_grad()
    def scores(self, batches: Iterable[zoo.Batch]) -> Scores:
        """Return what each user's ranking is worth."""
        with zoo.evaluating(self.model):
            return score(self.ranked, batches, self.vocabulary)

    def ranked(self, batch: zoo.Batch) -> Tensor:
        """Return the numbers of the first items for each user of a batch."""
        users = batch.get("users", torch.full_like(batch["items_lengths"], -1))
        found = top_items(
            self.scorer(),
            self.vocabulary,
            batch["items"],
            batch["items_lengths"],
            users,
            min(self.settings.k, self.count),
        )
        return found[1]

    def scorer(self) -> Any:
        """Return what has `item_scores`."""
        return self.model

    @property
    def training(self) -> zoo.Ragged:
        """The items of each user who is learnt from."""
        if self.vocabulary.training is None:
            raise zoo.TrainingError("there is nothing to learn from; open data to train on")
        return self.vocabulary.training


class ClosedForm(Ranking):
    """Solve a model that can be solved; its loss is one minus the cosine of scores and histories."""

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        model = self.model
        return {"model": Solution(model, lambda: type(model).solve(model, self.training))}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        history = histories(batch["items"], self.count)
        yield zoo.Loss("model", 1 - F.cosine_similarity(self.model.item_scores(history), history).mean())


class Multinomial(Ranking):
    """Likelihood of what a user has among all items, from what of it is not masked."""

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        history = histories(batch["items"], self.count)
        logits, divergence = self.model.elbo_terms(history, draws.normal("code", self.model.num_features))
        likelihood = (logits.log_softmax(1) * history).sum(1).mean()
        yield zoo.Loss(
            "model",
            self.settings.kl_weight * divergence.mean() - likelihood,
            metrics={"divergence": divergence.mean()},
        )


class NextItem(Ranking):
    """Tell the next item at each place of a history from items that are drawn."""

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        items, lengths = batch["items"], batch["items_lengths"]
        ids, mask = last_items(items, (lengths - 1).clamp(min=1), self.vocabulary.max_items, self.count)
        first = (lengths - 1 - mask.sum(1)).clamp(min=0)
        places = (first[:, None] + torch.arange(1, ids.shape[1] + 1, device=ids.device)).clamp(max=items.shape[1] - 1)
        targets = items.gather(1, places)
        inside = (mask > 0) & (targets < self.count)
        drawn = draws.integers("negatives", 0, self.count, self.settings.negatives)
        strange = histories(items, self.count).gather(1, drawn) == 0
        positive, negative = self.model.candidate_logits(ids, mask, targets.clamp(max=self.count - 1), drawn)
        share = min(1.0, self.settings.negatives / max(1, self.count - 1))
        power = share * (self.settings.calibration * (1 - 1 / share) + 1 / share)
        losses = F.softplus(-positive) * power + (F.softplus(negative) * strange[:, None]).sum(2)
        number = inside.sum()
        yield zoo.Loss("model", (losses * inside).sum() / number.clamp(min=1), count=number)


class Pairwise(Ranking):
    """Rank an item that a user has above one that is drawn (BPR), with vectors spread over the graph where so asked."""

    def __init__(self, settings: Any, model: nn.Module, classes: Classes, vocabulary: Vocabulary) -> None:
        super().__init__(settings, model, classes, vocabulary)
        self._graph: Tensor | None = None
        self._known: Tensor | None = None

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        if self.model.layers:
            self.model.spread.zero_()
        users, liked = batch["users"], batch["item"]
        other = self._drawn(users, draws)
        own = self.model.vectors()
        their, mine = self._spread(*own)
        u, i, j = their[users], mine[liked], mine[other]
        loss = F.softplus((u * j).sum(1) - (u * i).sum(1)).mean()
        if self.settings.regularization:
            squares = [(own[0][users] ** 2).sum(), (own[1][liked] ** 2).sum(), (own[1][other] ** 2).sum()]
            loss = loss + self.settings.regularization / 2 * torch.stack(squares).sum() / len(users)
        yield zoo.Loss("model", loss)

    def scorer(self) -> Any:
        if not self.model.layers or bool(self.model.spread):
            return self.model
        return SpreadVectors(*self._spread(*self.model.vectors()))

    @torch.no_grad()
    def export(self) -> nn.Module:
        model: Any = super().export()
        if model.layers and not model.spread:
            users, items = self._spread(*model.vectors())
            fill(model.user_vectors, users)
            fill(model.item_vectors, items)
            model.spread.fill_(1)
        found: nn.Module = model
        return found

    def _spread(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """Return vectors as so many steps over the graph make them: the mean of all steps."""
        if not self.model.layers:
            return users, items
        if self._graph is None:
            self._graph = adjacency(self.training, len(users), len(items), users.device)
        found = [torch.cat([users, items])]
        for _ in range(self.model.layers):
            found.append(torch.sparse.mm(self._graph, found[-1]))
        both = torch.stack(found).mean(0)
        return both[: len(users)], both[len(users) :]

    def _drawn(self, users: Tensor, draws: zoo.Draws) -> Tensor:
        """Return for each row an item that its user does not have; the last try, where all are had."""
        if self._known is None:
            owners = torch.repeat_interleave(torch.arange(len(self.training)), torch.from_numpy(self.training.lengths))
            keys = owners * self.count + torch.from_numpy(self.training.values)
            self._known = keys.sort().values.to(users.device)
        drawn = draws.integers("other", 0, self.count, self.settings.tries)
        keys = users[:, None] * self.count + drawn
        places = torch.searchsorted(self._known, keys).clamp(max=len(self._known) - 1)
        first = (self._known[places] != keys).long().argmax(1)
        return drawn.gather(1, first[:, None])[:, 0]


def recommendation(settings: Any, model: nn.Module, classes: Classes, vocabulary: Vocabulary) -> Ranking:
    """Make the recipe by which a model was pretrained, to go on with other data."""
    known: Any = model
    if hasattr(known, "solve"):
        return ClosedForm(settings, known, classes, vocabulary)
    if hasattr(known, "spread"):
        return Pairwise(settings, known, classes, vocabulary)
    kind = NextItem if hasattr(known, "candidate_logits") else Multinomial
    return kind(settings, known, classes, vocabulary)
