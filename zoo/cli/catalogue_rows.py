"""Rows of `zoo list`: models, weights and families of them, with what is known of each, and their orders."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from zoo.commands.tables import millions
from zoo.registry.facts import allows_commercial
from zoo.registry.registry import Offer, Registry
from zoo.specs.records import FamilySpec, ModelSpec

Row = dict[str, Any]

MANY = 150
"""More rows than these are counted by family first."""
COLUMNS = {
    "models": ["name", "params", "macs", "family", "can", "recipe", "license", "from"],
    "weights": ["name", "params", "macs", "task", "data", "score", "license", "from"],
}
"""What tables show of rows; JSON has all of them."""


def model_row(registry: Registry, offer: Offer[ModelSpec]) -> Row:
    """Return what is known of a model."""
    spec, facts = offer.spec, registry.facts(offer)
    return {
        "name": spec.name,
        "params": facts.parameters,
        "macs": facts.multiply_adds,
        "input": facts.input,
        "memory": facts.memory,
        "family": spec.family,
        "can": list(spec.capabilities),
        "recipe": spec.recipe,
        "license": spec.license,
        "commercial": allows_commercial(spec.license),
        "from": offer.plugin.distribution,
    }


def weights_row(registry: Registry, models: Mapping[str, Offer[ModelSpec]], name: str) -> Row:
    """Return what is known of weights; `models` are those that are offered here."""
    entry = registry.weights(name, allow_mutable=True)
    model = models.get(name.split(".")[0])
    return {
        "name": name,
        "params": entry.parameters,
        "macs": entry.multiply_adds,
        "input": entry.input,
        "memory": entry.memory,
        "family": model.spec.family if model else None,
        "task": entry.task,
        "data": entry.data,
        "score": next((f"{key} {value:.4g}" for key, value in entry.scores.items()), None),
        "scores": entry.scores,
        "scored": None if entry.scored is None else msgspec.to_builtins(entry.scored),
        "license": entry.license,
        "commercial": allows_commercial(entry.license),
        "from": f"{entry.plugin} · hf://{entry.repo}",
    }


def families(shown: Mapping[str, Iterable[Row]], declared: Iterable[Offer[FamilySpec]]) -> list[Row]:
    """Return the families of rows with counts, the largest first; those that are declared say their own."""
    found: dict[str | None, Row] = {}
    for kind, rows in shown.items():
        for row in rows:
            family = found.setdefault(row["family"], {"family": row["family"], **dict.fromkeys(shown, 0), "sizes": []})
            family[kind] += 1
            family["sizes"] += [row["params"]] if row["params"] else []
    for family in found.values():
        sizes = family.pop("sizes")
        family["params"] = [min(sizes), max(sizes)] if sizes else None
    for spec in (offer.spec for offer in declared):
        counts = {kind: getattr(spec, kind) for kind in shown}
        if any(counts.values()):
            found[f"{spec.name}, declared"] = {"family": spec.name, **counts, "params": None}
    return sorted(found.values(), key=lambda row: (-sum(row[kind] for kind in shown), str(row["family"])))


def _by_score(registry: Registry) -> Callable[[Row], Any]:
    """Order by the first score, the best first; scores of one name and data stay together, what has none comes last."""
    falls = {offer.spec.score for offer in registry.offers("recipes") if not offer.spec.higher_is_better}

    def key(row: Row) -> Any:
        name, value = next(iter((row.get("scores") or {}).items()), (None, 0.0))
        data = (row.get("scored") or {}).get("data") or ""
        return name is None, name or "", data, value if name in falls else -value

    return key


def _by(column: str) -> Callable[[Registry], Callable[[Row], Any]]:
    return lambda registry: lambda row: (row.get(column) is None, row.get(column) or 0)


ORDERS: dict[str, Callable[[Registry], Callable[[Row], Any]]] = {
    "name": lambda registry: lambda row: 0,  # they come so
    "score": _by_score,
    "parameters": _by("params"),
    "macs": _by("macs"),
    "memory": _by("memory"),
}


def cell(key: str, value: Any) -> str:
    """Return a value as a table shows it."""
    if key == "params":
        return " to ".join(dict.fromkeys(map(millions, value))) if isinstance(value, list) else millions(value)
    if key == "macs":
        return "-" if value is None else f"{value / 1e9:.2f} G"
    return ", ".join(value) if isinstance(value, (list, tuple)) else str(value or "-")
