"""Choose weights: leave out what cannot be, look at the features of the rest, finetune the best few."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

import zoo
from zoo_choose.advice import Classical, Method, classical, method_for
from zoo_choose.candidates import Candidate, candidates
from zoo_choose.estimates import Estimate, estimate
from zoo_choose.halving import FEWEST_STEPS, finetuned
from zoo_choose.ranking import Ranked, ranked

_INTERRUPTED = "not looked at: interrupted; the same command goes on"
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to choose for. `budget` is in seconds, 0 to finetune nothing; `memory` and `pull` are in bytes.

    `samples` are embedded at most. `labels` is how many will be had to finetune on, None for all. `arguments` are
    those of `zoo.finetune` that say more of the data: data_dir, columns, data_options, hub, device. A licence that is
    not known to allow what `license_allows` asks leaves weights out.
    """

    task: str
    data: str
    candidates: Sequence[str] = ()
    out: Path = Path("choice")
    budget: float = 0.0
    memory: float | None = None
    license_allows: Literal["commercial"] | None = None
    labels: int | None = None
    pull: int = 0
    samples: int = 2000
    seed: int = 0
    resume: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """What was found: the weights that come into question, the best first, and the others with the reason.

    `tried` are scores of short finetunings by name, in percent, where there was a budget; "from scratch" is the network
    of the first candidate from random weights. `classical` is a method without a network, where there is one.
    """

    request: Request
    ranked: list[Ranked]
    refused: list[Candidate]
    tried: dict[str, float]
    method: Method
    classical: Classical | None = None

    @property
    def best(self) -> Ranked:
        """The first choice."""
        return self.ranked[0]

    @property
    def command(self) -> str:
        """The line that finetunes the first choice."""
        from zoo.commands.following import said_of_data

        request = self.request
        more = said_of_data(request.arguments)
        if request.labels is not None:
            more += ["--labels", str(request.labels)]
        if self.method.name != "full":
            more += ["--method", self.method.name]
        words = ["zoo", "finetune", self.best.name, "--task", request.task, "--data", request.data, *more]
        return shlex.join([*words, "--out", f"runs/{Path(self.best.name).name}"])


def choose(request: Request, tell: Tell = lambda line: None) -> Choice:
    """Return the choice. What fails on the way is left out with its reason; the others go on.

    An interruption ends with what is known, once something is. Raise NotFoundError where no candidate is left.
    """
    found: list[Estimate] = []
    refused: list[Candidate] = []
    asked = candidates(request.candidates, request.arguments.get("hub"), request.pull)
    interrupted = False
    try:
        for number, candidate in enumerate(asked, 1):
            tell(f"[{number}/{len(asked)}] {candidate.name}")
            outcome = _looked_at(candidate, request)
            if isinstance(outcome, Estimate):
                found.append(outcome)
            else:
                refused.append(outcome)
                tell(f"left out: {outcome.refused}")
    except KeyboardInterrupt:
        if not found:
            raise
        interrupted = True
        refused += [replace(left, refused=_INTERRUPTED) for left in asked[len(found) + len(refused) :]]
    if not found:
        reasons = "; ".join(f"{candidate.name}: {candidate.refused}" for candidate in refused[:3])
        raise zoo.NotFoundError(f"no weights are left to choose from: {reasons}; name others with --candidates")
    order = ranked(found, request.seed)
    tried: dict[str, float] = {}
    if request.budget and not interrupted:
        tried = finetuned(order, request, tell)
        order = sorted(order, key=lambda item: -tried.get(item.name, -np.inf))
    return Choice(request, order, refused, tried, method_for(order[0], request), _classical(order[0], request, tell))


def _classical(best: Ranked, request: Request, tell: Tell) -> Classical | None:
    try:
        return classical(best, request)
    except zoo.ZooError as error:
        tell(f"without a network to compare with: {error}")
        return None


def _looked_at(candidate: Candidate, request: Request) -> Estimate | Candidate:
    if candidate.refused is not None:
        return candidate
    allows = request.license_allows
    if allows and candidate.name not in zoo.list_weights(candidate.name, license_allows=allows):
        return replace(candidate, refused=f"its licence is not known to allow {allows} use")
    try:
        found = estimate(candidate.name, request)
    except zoo.ZooError as error:
        return replace(candidate, refused=str(error))
    if request.memory is not None and found.memory > request.memory:
        reason = f"training takes {found.memory / 1e9:.1f} GB of memory, {request.memory / 1e9:.1f} GB are allowed"
        return replace(candidate, refused=reason)
    least = FEWEST_STEPS / found.steps_a_second
    if request.budget and least > request.budget:
        reason = f"{FEWEST_STEPS} steps take {least:.0f} s here, the budget is {request.budget:.0f} s"
        return replace(candidate, refused=reason)
    return found
