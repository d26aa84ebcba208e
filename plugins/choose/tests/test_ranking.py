"""The order of candidates, what cannot be told apart, and whether the intervals hold what they say."""

from typing import Any

import numpy as np
from zoo_choose.advice import Method
from zoo_choose.choosing import Choice, Request
from zoo_choose.estimates import Estimate
from zoo_choose.probing import Probed
from zoo_choose.ranking import ranked


def candidate(name: str, right: Any, seconds: float) -> Estimate:
    probed = Probed(np.zeros((len(right), 2)), np.asarray(right, "f8"))
    labels = np.arange(len(right)) % 2
    return Estimate(name, probed, 0.0, 0.0, 0.0, 1000, seconds, 1.0, 1e6, None, ("head",), labels, len(right), 4000)


def test_what_is_clearly_better_comes_first_whatever_it_costs() -> None:
    random = np.random.default_rng(0)
    good, poor = random.random(400) < 0.9, random.random(400) < 0.6
    order = ranked([candidate("cheap", poor, 1), candidate("dear", good, 100)], 0)
    assert [(item.name, item.tied) for item in order] == [("dear", True), ("cheap", False)]
    assert order[0].low < order[0].estimate.probed.score < order[0].high


def test_of_two_that_cannot_be_told_apart_the_cheaper_comes_first() -> None:
    random = np.random.default_rng(0)
    one, other = (random.random(50) < 0.8 for _ in range(2))
    order = ranked([candidate("dear", one, 100), candidate("cheap", other, 1)], 0)
    assert [(item.name, item.tied) for item in order] == [("cheap", True), ("dear", True)]


def test_a_small_difference_on_the_same_samples_is_told() -> None:
    random = np.random.default_rng(0)
    better = random.random(1000) < 0.8
    worse = better & (random.random(1000) > 0.02)  # right where the other is, but for some
    order = ranked([candidate("worse", worse, 1), candidate("better", better, 2)], 0)
    assert [(item.name, item.tied) for item in order] == [("better", True), ("worse", False)]


def test_the_true_best_is_among_those_not_told_apart_in_nine_of_ten_drawings() -> None:
    chances = [0.80, 0.79, 0.77, 0.70, 0.60]
    held = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        hard = random.random((300, 1))  # some samples are harder for all
        right = (0.5 * hard + 0.5 * random.random((300, 5))) < np.array(chances)
        order = ranked([candidate(str(place), right[:, place], place + 1) for place in range(5)], seed)
        held += next(item.tied for item in order if item.name == "0")
    assert held >= 180


def test_the_line_to_type_says_all_that_was_said_of_the_data() -> None:
    said = {"columns": {"label": "kind"}, "data_options": {"skip_bad": "3"}, "hub": "./hub", "device": "cpu"}
    request = Request(task="image-classification", data="./photos", labels=20, arguments=said)
    order = ranked([candidate("runs/one", [1, 0, 1, 1], 1)], 0)
    found = Choice(request, order, [], {}, Method("full", None, "enough"))
    assert found.command == (
        "zoo finetune runs/one --task image-classification --data ./photos --hub ./hub --label kind "
        "--data-set skip_bad=3 --labels 20 --out runs/one"
    )
    frozen = Choice(request, order, [], {}, Method("frozen", 0, "few"))
    assert "--labels 20 --method frozen --out runs/one" in frozen.command
