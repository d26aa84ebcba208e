"""Pin the weights that a training begins with, or learns from, so that it can be repeated with the same."""

import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.errors import IntegrityError, NotFoundError
from zoo.hub.pull import pull_repo
from zoo.hub.records import PulledRepo
from zoo.specs.settings import TrainingSettings
from zoo.weights.find import WeightsQuery, find_and_pull
from zoo.weights.stored import tensors_sha256

Pin = dict[str, str]


def pin(path: Path, pulled: PulledRepo | None) -> Pin:
    """Return what weights are known by: the sha256 of their tensors, and where they came from, their commit."""
    origin = {} if pulled is None else {"repo": pulled.repo, "commit": pulled.commit}
    return {"sha256": tensors_sha256(path), **origin}


def pinned_settings(settings: TrainingSettings) -> dict[str, Pin]:
    """Return a pin for each setting that names weights, such as a teacher.

    That one is not found is the recipe's to tell.
    """
    found = {}
    for name in _names_weights(type(settings)):
        if source := getattr(settings, name):
            try:
                found[name] = pin(*find_and_pull(source, WeightsQuery()))
            except NotFoundError:
                continue
    return found


def pinned_source(source: str, known: Mapping[str, Any] | None, hub: str | Path | None) -> str:
    """Return the address of the very weights that were pinned; their name where the Hub has no such commit."""
    if not known or "commit" not in known:
        return source
    repo, commit = str(known["repo"]), str(known["commit"])
    try:
        pull_repo(repo, revision=commit, hub=hub)
    except NotFoundError:
        return source
    return f"hf://{repo}@{commit}"


def check_pins(then: Mapping[str, Any], now: Mapping[str, Any], source: str) -> None:
    """Raise IntegrityError where weights are not those that were pinned."""
    for name, known in then.items():
        here = now.get(name, {}).get("sha256")
        if here != known["sha256"]:
            where = f" ({known['repo']} at {known['commit']})" if "commit" in known else ""
            raise IntegrityError(
                f"{source} was trained with other {name}{where}: sha256 {known['sha256']}, here {here}; give the same"
            )


def _names_weights(kind: type[TrainingSettings]) -> Iterator[str]:
    for name, hint in typing.get_type_hints(kind, include_extras=True).items():
        metas = [getattr(item, "extra", None) for item in getattr(hint, "__metadata__", ())]
        if any(isinstance(extra, dict) and extra.get("names") == "weights" for extra in metas):
            yield name
