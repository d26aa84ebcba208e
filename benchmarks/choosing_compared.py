"""Compare what was foretold of weights with what finetuning gave, for benchmarks/choosing.py."""

import random
import statistics
from typing import Any

from scipy.stats import weightedtau

CLASSICAL = "classical"
MEASURES = ("probe", "h_score", "log_me", "n_leep")
FEWEST = 4
"""Sets with fewer weights order nothing."""

Told = dict[str, dict[str, float]]


def compared(rows: list[dict[str, Any]], told: dict[str, Told]) -> dict[str, Any]:
    """Return for each set, and for all, how well the order was foretold; `rows` are results of the benchmark."""
    found = [_of_set(name, rows, scores) for name, scores in told.items() if len(scores) >= FEWEST]
    return {"sets": found, **_summary(found)}


def _of_set(name: str, rows: list[dict[str, Any]], told: Told) -> dict[str, Any]:
    mine = [row for row in rows if row["set"] == name and "scores" in row]
    simple = {row["weights"]: row["scores"] for row in mine if row["part"] == CLASSICAL}
    each: dict[str, list[float]] = {}
    for row in mine:
        if row["part"] in ("finetuned", CLASSICAL):
            each.setdefault(row["weights"], []).append(row["scores"]["accuracy"])
    accuracy = {key: statistics.mean(values) for key, values in each.items()}
    return {
        "set": name,
        "seeds": min(len(values) for key, values in each.items() if key != CLASSICAL),
        "finetuned": accuracy,
        "foretold": {**told, **simple},
        "tau": {measure: _tau(told, accuracy, measure) for measure in MEASURES},
        "tau with baseline": _tau({**told, **simple}, accuracy, "probe"),
        "regret": {measure: _regret(told, accuracy, measure) for measure in MEASURES},
        "regret with baseline": _regret({**told, **simple}, accuracy, "probe"),
        "cpu seconds": {part: _cost(mine, part) for part in ("foretold", "finetuned")},
    }


def _tau(told: Told, accuracy: dict[str, float], measure: str) -> float:
    return float(weightedtau([accuracy[key] for key in told], [told[key][measure] for key in told]).statistic)


def _regret(told: Told, accuracy: dict[str, float], measure: str) -> float:
    return max(accuracy[key] for key in told) - accuracy[max(told, key=lambda key: told[key][measure])]


def _cost(rows: list[dict[str, Any]], part: str) -> float:
    """Return the processor time of a part, of finetuning with one seed."""
    return sum(row["cpu_seconds"] for row in rows if row["part"] == part and row["seed"] == 0)


def _summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means over sets with their bootstrap intervals, and what the score is worth that the other sets choose."""
    chosen = []
    for one in found:
        others = [other for other in found if other is not one]
        best = max(MEASURES, key=lambda measure: sum(other["tau"][measure] for other in others))
        chosen.append(one["tau"][best])
    costs = {part: sum(one["cpu seconds"][part] for one in found) for part in ("foretold", "finetuned")}
    return {
        "tau": {measure: _interval([one["tau"][measure] for one in found]) for measure in MEASURES},
        "tau, score chosen by the other sets": _interval(chosen),
        "tau with baseline": _interval([one["tau with baseline"] for one in found]),
        "regret": {measure: _interval([one["regret"][measure] for one in found]) for measure in MEASURES},
        "regret with baseline": _interval([one["regret with baseline"] for one in found]),
        "cost": costs["foretold"] / max(costs["finetuned"], 1e-9),
    }


def _interval(values: list[float]) -> list[float]:
    """Return the mean, and 95 % of the means of resampled sets."""
    draw = random.Random(0)
    means = sorted(statistics.mean(draw.choices(values, k=len(values))) for _ in range(2000))
    return [round(value, 3) for value in (statistics.mean(values), means[50], means[-51])]
