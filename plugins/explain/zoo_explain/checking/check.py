"""`zoo explain --check`: measure what maps are worth, and say it in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any, ClassVar

import torch
from torch import Tensor

import zoo
from zoo_explain.checking.curves import deletion, edges, insertion, moved, road
from zoo_explain.checking.randomizing import alike, randomized
from zoo_explain.images.subjects import Chosen

_SURE = 1.645
SAME = 0.7
COMPLETE = 0.1


@dataclass(frozen=True)
class Checked:
    """What a method's maps are worth over some images, on the average.

    `deletion`, `insertion` and `road` are as curves.py has them, `gain` is insertion less deletion; `over_moved` and
    `over_edges` are by how many standard errors that is above the same maps elsewhere, and above an edge detector.
    `followed` is the rank correlation with the map of random weights, by the share of layers that are random.
    `complete` is what integrated gradients lack of the difference that they should add up to. `flagged` says that the
    maps are not to be trusted, and `verdict` why, or why not.
    """

    heads: ClassVar[tuple[str, ...]] = (
        *("DELETION", "INSERTION", "ROAD", "OVER MOVED", "OVER EDGES", "RANDOM WEIGHTS", "AGREES", "SUMS"),
    )

    images: int
    deletion: float
    insertion: float
    road: float
    gain: float
    over_moved: float
    over_edges: float
    followed: Mapping[str, float]
    agreement: Mapping[str, float]
    complete: float | None
    flagged: bool
    verdict: str

    def cells(self) -> tuple[str, ...]:
        """Return it as a row under `heads`."""
        figures = (f"{value:.3f}" for value in (self.deletion, self.insertion, self.road))
        return (
            *figures,
            f"{self.over_moved:.1f} se",
            f"{self.over_edges:.1f} se",
            *last_cells(self.followed, self.agreement, self.complete),
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a dictionary."""
        return asdict(self)


class Check:
    """Checks explainers of one model on the same images, given as the model takes them."""

    def __init__(self, loaded: zoo.Loaded, images: Tensor, explainer: Any, *, batch_size: int, seed: int = 0) -> None:
        self.loaded, self.images, self.batch_size, self.seed = loaded, images, batch_size, seed
        self.subject = explainer.subject
        sizes = [(images.shape[2], images.shape[3])] * len(images)
        parts = [self.subject.choose(part, None, sizes) for part in torch.split(images, batch_size)]
        self.chosen = Chosen(
            tuple(torch.cat(arguments) for arguments in zip(*(part.arguments for part in parts), strict=True)),
            [name for part in parts for name in part.names],
            [score for part in parts for score in part.scores],
        )
        self.flat = images.mean((2, 3), keepdim=True)

    def maps(self, explainer: Any) -> Tensor:
        """Return an explainer's maps of all images."""
        found = []
        with zoo.evaluating(explainer.model):
            for start in range(0, len(self.images), self.batch_size):
                some = slice(start, start + self.batch_size)
                arguments = tuple(argument[some] for argument in self.chosen.arguments)
                part = Chosen(arguments, self.chosen.names[some], self.chosen.scores[some])
                found.append(explainer.maps(self.images[some], part, self.batch_size).detach().float())
        return torch.cat(found)

    def likely(self, images: Tensor, places: Tensor) -> Tensor:
        """Return how likely what is explained is."""
        with torch.no_grad():
            found: Tensor = self.subject.likely(images, *(argument[places] for argument in self.chosen.arguments))
        return found

    def gains(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return deletion and insertion of maps, (batch,) each."""
        with zoo.evaluating(self.loaded.model):
            lost = deletion(self.likely, self.images, maps, self.flat, self.batch_size)
            won = insertion(self.likely, self.images, maps, self.batch_size)
        return lost, won

    def checked(self, name: str, explainer: Any, others: Mapping[str, Tensor], maps: Tensor | None = None) -> Checked:
        """Check a method by its name; `others` are the maps of all, for whether methods agree.

        With `maps` those are checked in place of its own.
        """
        own = self.maps(explainer) if maps is None else maps
        lost, won = self.gains(own)
        gain = won - lost
        random = torch.Generator().manual_seed(self.seed)
        elsewhere = self._gain(moved(own, random))
        over_moved, over_edges = errors(gain - elsewhere), errors(gain - self._gain(edges(self.images)))
        followed = self._followed(name, own) if maps is None else {}
        with zoo.evaluating(self.loaded.model):
            imputed = float(road(self.likely, self.images, own, self.batch_size).mean())
        agreement = {other: float(alike(own, theirs).mean()) for other, theirs in others.items() if other != name}
        complete = (
            self._incomplete(explainer) if hasattr(explainer, "flat") and name == "integrated_gradients" else None
        )
        flagged, verdict = _verdict(over_moved, over_edges, followed, complete, sure=sure(len(own)))
        return Checked(
            images=len(own),
            deletion=float(lost.mean()),
            insertion=float(won.mean()),
            road=imputed,
            gain=float(gain.mean()),
            over_moved=over_moved,
            over_edges=over_edges,
            followed=followed,
            agreement=agreement,
            complete=complete,
            flagged=flagged,
            verdict=verdict,
        )

    def _gain(self, maps: Tensor) -> Tensor:
        lost, won = self.gains(maps)
        return won - lost

    def _followed(self, name: str, own: Tensor) -> dict[str, float]:
        found = {}
        for share, model in randomized(self.loaded.model, self.seed):
            explainer = explainer_on(self.loaded, model, name)
            found[f"{share:.2f}"] = float(alike(own, self.maps(explainer)).mean())
        return found

    def _incomplete(self, explainer: Any) -> float:
        some = self.images[: self.batch_size]
        arguments = tuple(argument[: self.batch_size] for argument in self.chosen.arguments)
        part = Chosen(arguments, self.chosen.names[: len(some)], self.chosen.scores[: len(some)])
        with torch.enable_grad():
            total = explainer.attributions(some, part, self.batch_size).detach().sum((1, 2, 3))
        with torch.no_grad():
            apart = self.subject.score(some, *arguments)
            apart = apart - self.subject.score(explainer.flat(0, some).expand_as(some), *arguments)
        return float(((total - apart).abs() / apart.abs().clamp(min=1e-6)).median())


def explainer_on(loaded: zoo.Loaded, model: Any, name: str) -> Any:
    """Return the explainer of this name on another model of the same kind."""
    from zoo_explain import target_of

    place, _, attribute = target_of(name).partition(":")
    made = getattr(import_module(place), attribute)
    like = zoo.Loaded(model=model, spec=loaded.spec, description=loaded.description, folder=loaded.folder)
    return made(like)


def errors(differences: Tensor) -> float:
    """Return by how many standard errors the mean of differences is above 0."""
    if len(differences) < 2:
        return 0.0
    error = float(differences.std()) / math.sqrt(len(differences))
    return float(differences.mean()) / max(error, 1e-9)


def sure(count: int) -> float:
    """Return by how many standard errors the mean of so many is above 0 by chance in one of twenty samples.

    The quantile of Student's distribution, by the first terms of its expansion about the normal one.
    """
    free = max(count - 1, 1)
    return _SURE + (_SURE**3 + _SURE) / (4 * free) + (5 * _SURE**5 + 16 * _SURE**3 + 3 * _SURE) / (96 * free**2)


def _verdict(
    over_moved: float, over_edges: float, followed: Mapping[str, float], complete: float | None, *, sure: float = _SURE
) -> tuple[bool, str]:
    kept = min(followed.values(), default=0.0)
    if over_moved < sure:
        return True, "these maps find what decides no better than the same maps moved elsewhere: do not trust them"
    if over_edges < sure:
        return True, "these maps find what decides no better than an edge detector does: do not trust them"
    if kept > SAME:
        return True, "these maps hardly change when the weights are random: do not trust them"
    if complete is not None and complete > COMPLETE:
        return False, f"these maps find what decides, but lack {complete:.0%} of what they should add up to"
    return False, "these maps find what decides, and follow the weights"


def images_of(explainer: Any, items: Sequence[Any], batch_size: int) -> Tensor:
    """Return images as the model takes them."""
    like = next(explainer.model.parameters())
    batches = zoo.read_batches(list(items), explainer.inputs, batch_size)
    return torch.cat([zoo.as_inputs(pixels, explainer.inputs, like) for pixels, _ in batches])


def last_cells(
    followed: Mapping[str, float], agreement: Mapping[str, float], complete: float | None
) -> tuple[str, str, str]:
    """Return the cells that rows of images and of texts end with: RANDOM WEIGHTS, AGREES and SUMS."""
    agrees = f"{max(agreement.values()):.2f}" if agreement else "-"
    sums = "-" if complete is None else f"{1 - complete:.0%}"
    return " ".join(f"{value:.2f}" for value in followed.values()), agrees, sums
