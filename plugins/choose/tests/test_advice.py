"""Which layers are to learn, and when something simpler does as well."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from zoo_choose.advice import Classical, Method, method_for, said
from zoo_choose.choosing import Choice, Request
from zoo_choose.estimates import Estimate
from zoo_choose.halving import SCRATCH
from zoo_choose.probing import Probed
from zoo_choose.ranking import Ranked, ranked, surely_behind


def best(*shares: float, samples: int = 400, parameters: int = 1000) -> Ranked:
    """Return a candidate whose depths get these shares of the samples right, the head last; there are two classes."""
    random = np.random.default_rng(0)
    hard = random.random(samples)
    depths = tuple((hard < share).astype("f8") for share in shares)
    depth_names = tuple(f"stage{place}" for place in range(len(shares) - 1)) + ("head",)
    probed = Probed(np.zeros((samples, 2)), depths[-1], depths)
    labels = np.arange(samples) % 2
    estimate = Estimate(
        "runs/one", probed, 0.0, 0.0, 0.0, parameters, 1.0, 1.0, 1e6, None, depth_names, labels, samples, 4000
    )
    return ranked([estimate], 0)[0]


@pytest.mark.parametrize(
    ("candidate", "labels", "method", "stages"),
    [
        (best(0.6, 0.7, 0.9), 10, "frozen", 0),
        (best(0.6, 0.7, 0.9), 60, "full", None),
        (best(0.6, 0.7, 0.9), None, "full", None),
        (best(0.6, 0.7, 0.9, parameters=200_000_000), None, "lora", None),
        (best(0.9, 0.6, 0.5, 0.5), None, "full", 2),
        (best(0.6, 0.9, 0.5), 10, "full", 0),
        (best(0.9), 10, "frozen", 0),
    ],
)
def test_layers_that_have_to_learn(candidate: Ranked, labels: int | None, method: str, stages: int | None) -> None:
    found = method_for(candidate, Request(task="t", data="d", labels=labels))
    assert (found.name, found.stages) == (method, stages)


def test_a_difference_that_chance_makes_is_none() -> None:
    random = np.random.default_rng(0)
    one, other = ((random.random(50) < 0.8).astype("f8") for _ in range(2))
    assert not surely_behind(one, other, 0) and not surely_behind(other, one, 0)
    assert surely_behind(np.zeros(50), other, 0)


def choice(**changes: Any) -> Choice:
    found = Choice(Request(task="t", data="d"), [best(0.8)], [], {}, Method("full", None, "enough"))
    return replace(found, **changes)


def test_what_is_simpler_and_as_good_is_named() -> None:
    simple = Classical("logistic regression on TF-IDF", 82.0, 78.0, 86.0, behind=False)
    assert said(choice()) == ["--method full: enough"]
    assert said(choice(classical=simple))[1].startswith("logistic regression on TF-IDF tells 82.0 %")
    assert len(said(choice(classical=replace(simple, behind=True)))) == 1


def test_scratch_is_named_where_it_wins() -> None:
    assert "--method scratch" in said(choice(tried={"runs/one": 60.0, SCRATCH: 61.0}))[1]
    assert len(said(choice(tried={"runs/one": 61.0, SCRATCH: 60.0}))) == 1
