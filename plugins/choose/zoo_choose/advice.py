"""What to do with the first choice: which layers are to learn, and whether anything simpler does as well."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import zoo
from zoo_choose.halving import SCRATCH
from zoo_choose.probing import folds_of
from zoo_choose.ranking import Ranked, resampled, surely_behind

if TYPE_CHECKING:
    from zoo_choose.choosing import Choice, Request

FEW, MANY = 10, 100
"""Labels of a class: fewer teach a head alone, and from this many on all layers may learn."""
LARGE = 100_000_000
"""Parameters from which on low-rank corrections spare most of what training keeps."""


@dataclass(frozen=True)
class Classical:
    """What a method without a network gets right of the same samples, each told by what the others taught it."""

    name: str
    score: float
    low: float
    high: float
    behind: bool


@dataclass(frozen=True)
class Method:
    """How to finetune: the `--method`, how many stages are to learn anew, None for all that there are, and why."""

    name: str
    stages: int | None
    reason: str


def classical(best: Ranked, request: "Request") -> Classical | None:
    """Judge the modality's classical method beside the best candidate; None where it has none for this task."""
    estimate, labels = best.estimate, best.estimate.labels
    if labels.ndim != 1:
        return None
    found = zoo.held_out_baseline(
        zoo.find_weights(best.name, hub=request.arguments.get("hub")),
        task=request.task,
        data=request.data,
        samples=request.samples,
        seed=request.seed,
        folds=len(folds_of(labels, request.seed)),
        **request.arguments,
    )
    if found is None or not np.array_equal(found.labels, labels):
        return None
    right: NDArray[np.float64] = (np.asarray(found.answers) == labels).astype("f8")
    low, high = np.percentile(resampled(right[None], request.seed), [2.5, 97.5])
    behind = surely_behind(right, estimate.probed.right, request.seed)
    return Classical(found.name, float(100 * right.mean()), float(low), float(high), behind)


def method_for(best: Ranked, request: "Request") -> Method:
    """Say which layers are to learn, by how far the samples are told apart at each depth, and how many there are.

    Where an earlier stage surely tells more than what the head gets, the stages above it have learnt something else.
    """
    estimate = best.estimate
    classes = estimate.probed.probabilities.shape[1]
    each = (request.labels or estimate.train_samples) / classes
    *stages, head = estimate.probed.by_depth
    above = None
    if stages:
        top = max(range(len(stages)), key=lambda place: stages[place].mean())
        if surely_behind(head, stages[top], request.seed):
            above = len(stages) - 1 - top
    said = f"{each:.0f} labels a class"
    if above is not None:
        more = f"what {estimate.depths[top]} gives tells more than what the head gets"
        return Method("full", above, f"{more}: all that lies between has to learn anew, {above} later stages")
    if each < FEW:
        return Method("frozen", 0, f"{said} teach the head alone, and its features tell as much as any before it")
    if estimate.parameters > LARGE:
        return Method("lora", None, f"{said}, and all of {estimate.parameters / 1e6:.0f} M parameters need not move")
    if each < MANY:
        return Method(
            "full", None, f"{said}; --method frozen costs little, compare: nothing says that layers must move"
        )
    return Method("full", None, f"{said} are enough for all layers")


def said(choice: "Choice") -> list[str]:
    """Return what is to be said of the first choice, line by line."""
    lines = [f"--method {choice.method.name}: {choice.method.reason}"]
    simple, best = choice.classical, choice.best
    if simple is not None and not simple.behind:
        lines.append(
            f"{simple.name} tells {simple.score:.1f} % of the same samples, and no weights surely more: "
            "compare first, `zoo finetune --baselines` trains it beside"
        )
    scratch, tried = choice.tried.get(SCRATCH), choice.tried.get(best.name)
    if scratch is not None and tried is not None and scratch >= tried:
        lines.append(
            f"from scratch came to {scratch:.1f} where pretrained weights came to {tried:.1f}: --method scratch"
        )
    return lines
