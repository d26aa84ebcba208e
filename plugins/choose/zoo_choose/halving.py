"""Finetune the best few by successive halving: each round half of them goes on, with twice the steps."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import zoo
from zoo_choose.ranking import Ranked

if TYPE_CHECKING:
    from zoo_choose.choosing import Request

MOST = 3
SCRATCH = "from scratch"
FEWEST_STEPS = 5
_HELD_OUT = 0.2


@dataclass(frozen=True)
class _Contender:
    """What is finetuned: a candidate as it is, or by another method."""

    name: str
    of: Ranked
    method: str | None


def finetuned(order: Sequence[Ranked], request: "Request", tell: Callable[[str], None]) -> dict[str, float]:
    """Return what short finetunings score on held-out training samples, by name, of those that came to the last round.

    The budget is shared by the rounds, and each round's by the contenders in it, as the pace that was measured tells.
    The network of the first candidate from random weights is one of them, `SCRATCH`.
    """
    left = [_Contender(item.name, item, None) for item in order[:MOST]] + [_Contender(SCRATCH, order[0], "scratch")]
    rounds = max(1, (len(left) - 1).bit_length())
    scores: dict[str, float] = {}
    for number in range(1, rounds + 1):
        share = request.budget / rounds / len(left)
        current = {}
        for item in left:
            score = _score(item, request, share, number, tell)
            if score is not None:
                current[item.name] = score
                tell(f"round {number}: {item.name} {score:.1f}")
        if not current:
            return scores
        scores = current
        left = sorted((item for item in left if item.name in current), key=lambda item: -current[item.name])
        left = left[: max(1, (len(left) + 1) // 2)]
    return scores


def _score(
    item: "_Contender", request: "Request", seconds: float, number: int, tell: Callable[[str], None]
) -> float | None:
    """Finetune one contender for about so many seconds; return its score on what is held out, None where that fails."""
    estimate = item.of.estimate
    out = request.out / f"round-{number}" / re.sub(r"[^\w.-]", "-", item.name)
    steps = max(FEWEST_STEPS, int(seconds * estimate.steps_a_second))
    resume = request.resume and (out / "run.json").is_file()
    try:
        zoo.finetune(
            zoo.find_weights(estimate.name, hub=request.arguments.get("hub")),
            task=request.task,
            data=request.data,
            out=out,
            method=item.method,
            labels=request.labels,
            settings={"seed": request.seed, "validation": _HELD_OUT, "evaluations": 1, "steps": steps},
            resume=resume,
            force=not resume,
            **request.arguments,
        )
    except zoo.ZooError as error:
        tell(f"round {number}: {item.name} failed: {error}")
        return None
    return _held_out_score(out)


def _held_out_score(run: Path) -> float | None:
    """Return the accuracy on the held-out part that a run ended with; its test split is none of ours."""
    found = None
    with open(run / "metrics.jsonl", "rb") as lines:
        for line in lines:
            values = zoo.parse_json(line, str(run / "metrics.jsonl"))
            if values.get("event") == "validation":
                found = values.get("accuracy")
    return found
