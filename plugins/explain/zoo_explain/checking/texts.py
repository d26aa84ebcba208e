"""`zoo explain --check` for weights of tokens: whether they find what decides, and whether they follow the weights."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

import zoo
from zoo_explain.checking.check import COMPLETE, SAME, errors, explainer_on, last_cells, sure
from zoo_explain.checking.randomizing import alike, randomized

_STEPS = 8
_DEALS = 8
_FEWEST = 3
"""Tokens of which an order can say anything."""
Weights = list[Tensor]
"""For each batch of texts a weight for each token, (texts, tokens)."""


@dataclass(frozen=True)
class CheckedTexts:
    """What a method's weights of tokens are worth over some texts, on the average.

    `deletion` is how likely what is explained is while the tokens of most weight give way to masks, `insertion` while
    they come into a text of masks; `gain` is insertion less deletion, and `over_random` by how many standard errors
    that is above the same weights dealt out to other tokens. `followed` and `agreement` are rank correlations, with
    weights by a model whose upper layers are random, and with other methods. `complete` is what integrated gradients
    lack of what they should add up to.
    """

    heads: ClassVar[tuple[str, ...]] = ("DELETION", "INSERTION", "OVER RANDOM", "RANDOM WEIGHTS", "AGREES", "SUMS")

    texts: int
    deletion: float
    insertion: float
    gain: float
    over_random: float
    followed: Mapping[str, float]
    agreement: Mapping[str, float]
    complete: float | None
    flagged: bool
    verdict: str

    def cells(self) -> tuple[str, ...]:
        """Return it as a row under `heads`."""
        last = last_cells(self.followed, self.agreement, self.complete)
        return f"{self.deletion:.3f}", f"{self.insertion:.3f}", f"{self.over_random:.1f} se", *last

    def as_json(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return asdict(self)


class TextCheck:
    """Checks explainers of one model on the same texts, and pairs of texts, in batches."""

    def __init__(self, explainer: Any, items: Sequence[Any], *, batch_size: int, seed: int = 0) -> None:
        self.explainer, self.batch_size, self.seed = explainer, batch_size, seed
        parts = [items[start : start + batch_size] for start in range(0, len(items), batch_size)]
        with zoo.evaluating(explainer.model):
            self.texts = [explainer.encoded(part) for part in parts]
            self.chosen = [explainer.subject.choose(texts, None) for texts in self.texts]
        self.begun = [explainer.beginning(texts) for texts in self.texts]
        self.free = [
            texts.mask.bool() & (texts.ids != begun) for texts, begun in zip(self.texts, self.begun, strict=True)
        ]
        if not any(bool((free.sum(1) >= _FEWEST).any()) for free in self.free):
            raise zoo.UsageError(f"--check needs texts of {_FEWEST} tokens or more; give longer ones")

    def weights(self, explainer: Any) -> Weights:
        """Return an explainer's weights of all texts."""
        found = []
        with zoo.evaluating(explainer.model), torch.enable_grad():
            for texts, chosen in zip(self.texts, self.chosen, strict=True):
                found.append(explainer.weights(texts, chosen, self.batch_size).detach().float())
        return found

    def checked(
        self, name: str, explainer: Any, others: Mapping[str, Weights], own: Weights | None = None
    ) -> CheckedTexts:
        """Check a method by its name; `others` are the weights of all, for whether methods agree.

        With `own` those weights are checked in place of the method's.
        """
        mine = self.weights(explainer) if own is None else own
        lost, won = self.gains(mine)
        over_random = errors(won - lost - self._by_chance(mine))
        followed = self._followed(name, mine) if own is None else {}
        agreement = {other: self._alike(mine, theirs) for other, theirs in others.items() if other != name}
        complete = self._incomplete(explainer) if own is None and hasattr(explainer, "attributions") else None
        flagged, verdict = _verdict(over_random / sure(len(lost)), followed, complete)
        return CheckedTexts(
            texts=len(lost),
            deletion=float(lost.mean()),
            insertion=float(won.mean()),
            gain=float((won - lost).mean()),
            over_random=over_random,
            followed=followed,
            agreement=agreement,
            complete=complete,
            flagged=flagged,
            verdict=verdict,
        )

    def gains(self, weights: Weights) -> tuple[Tensor, Tensor]:
        """Return deletion and insertion, (texts,) each: the mean likelihood along the curve."""
        lost, won = [], []
        with zoo.evaluating(self.explainer.model), torch.no_grad():
            for place, (texts, begun, free) in enumerate(zip(self.texts, self.begun, self.free, strict=True)):
                ranks = _ranks(weights[place], free)
                counts = free.sum(1, keepdim=True)
                curves: tuple[list[Tensor], list[Tensor]] = ([], [])
                for step in range(_STEPS + 1):
                    first = free & (ranks < (step / _STEPS * counts).round())
                    for curve, ends in zip(curves, ((begun, texts.ids), (texts.ids, begun)), strict=True):
                        curve.append(self._likely(place, torch.where(first, *ends)))
                lost.append(_area(curves[0]))
                won.append(_area(curves[1]))
        return torch.cat(lost), torch.cat(won)

    def _likely(self, place: int, ids: Tensor) -> Tensor:
        subject, texts = self.explainer.subject, self.texts[place]
        logits = subject.logits(subject.features(ids, texts.mask, texts.segments), ids, texts.mask).float()
        likely = logits.sigmoid() if subject.several else logits.softmax(1)
        found: Tensor = likely.gather(1, self.chosen[place].places[:, None])[:, 0]
        return found

    def _by_chance(self, weights: Weights) -> Tensor:
        """Return the gain of the same weights on other tokens, (texts,): the mean of several deals."""
        random = torch.Generator().manual_seed(self.seed)
        gains = []
        for _ in range(_DEALS):
            dealt = [self._dealt(part, free, random) for part, free in zip(weights, self.free, strict=True)]
            lost, won = self.gains(dealt)
            gains.append(won - lost)
        return torch.stack(gains).mean(0)

    def _dealt(self, weights: Tensor, free: Tensor, random: torch.Generator) -> Tensor:
        """Return each text's weights in another order, those of what stays where they were."""
        found = weights.clone()
        for row, mine in zip(found, free, strict=True):
            places = mine.nonzero()[:, 0]
            row[places] = row[places[torch.randperm(len(places), generator=random).to(places.device)]]
        return found

    def _followed(self, name: str, own: Weights) -> dict[str, float]:
        loaded, found = self.explainer.loaded, {}
        for share, model in randomized(loaded.model, self.seed):
            found[f"{share:.2f}"] = self._alike(own, self.weights(explainer_on(loaded, model, name)))
        return found

    def _alike(self, one: Weights, other: Weights) -> float:
        found = [
            float(alike(mine[place][None], theirs[place][None]))
            for mine, theirs, free in zip(one, other, self.free, strict=True)
            for row, (mine, theirs) in enumerate(zip(mine, theirs, strict=True))
            for place in [free[row]]
            if int(place.sum()) >= _FEWEST
        ]
        return sum(found) / len(found)

    def _incomplete(self, explainer: Any) -> float:
        texts, chosen = self.texts[0], self.chosen[0]
        with zoo.evaluating(explainer.model):
            with torch.enable_grad():
                total = explainer.attributions(texts, chosen, self.batch_size).detach().sum((1, 2))
            with torch.no_grad():
                apart = explainer.score(texts.ids, texts.mask, chosen.places, texts.segments)
                apart = apart - explainer.score(self.begun[0], texts.mask, chosen.places, texts.segments)
        return float(((total - apart).abs() / apart.abs().clamp(min=1e-6)).median())


def _ranks(weights: Tensor, free: Tensor) -> Tensor:
    """Return for each token how many free ones come before it: 0 is the one of most weight."""
    places = weights.masked_fill(~free, -torch.inf).argsort(dim=1, descending=True, stable=True)
    return torch.empty_like(places).scatter_(1, places, torch.arange(places.shape[1]).expand_as(places).to(places))


def _area(curve: Sequence[Tensor]) -> Tensor:
    values = torch.stack(list(curve))
    return (values[1:] + values[:-1]).mean(0) / 2


def _verdict(surely: float, followed: Mapping[str, float], complete: float | None) -> tuple[bool, str]:
    """Return whether weights are not to be trusted, and why; `surely` is 1 where chance alone gets to in one of 20."""
    if surely < 1:
        return True, "these weights find what decides no better than the same ones on other tokens: do not trust them"
    if min(followed.values(), default=0.0) > SAME:
        return True, "these weights hardly change when those of the model are random: do not trust them"
    if complete is not None and complete > COMPLETE:
        return False, f"these weights find what decides, but lack {complete:.0%} of what they should add up to"
    return False, "these weights find what decides, and follow those of the model"
