"""What is foretold of one candidate: its features once, kept by what they were made from, and what training costs."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

import zoo
from zoo_choose.probing import Probed, folds_of, probe
from zoo_choose.transferability import h_score, log_me, n_leep

if TYPE_CHECKING:
    from zoo_choose.choosing import Request

_COST = ("samples_per_second", "memory", "train_samples", "batch_size")


@dataclass(frozen=True)
class Estimate:
    """One candidate as its features foretell it.

    `seconds` are those of an epoch of finetuning here, `memory` the bytes that it takes, `bytes` those of the files.
    `log_me`, `h_score` and `n_leep` are means over the depths; the last two are None where a sample may have several
    labels. `depths` are from the input to the head; `labels` are those of the samples that were looked at.
    """

    name: str
    probed: Probed
    log_me: float
    h_score: float | None
    n_leep: float | None
    parameters: int
    seconds: float
    steps_a_second: float
    memory: float
    license: str | None
    depths: tuple[str, ...]
    labels: NDArray[Any]
    train_samples: int
    bytes: int


def estimate(name: str, request: "Request") -> Estimate:
    """Return what the features of weights foretell. Raise ZooError for weights that the task cannot begin from."""
    more = dict(request.arguments)
    weights = zoo.find_weights(name, hub=more.get("hub"))
    kept = _file(weights, request)
    stored = _read(kept)
    if stored is None:
        asked = {"task": request.task, "data": request.data, **more}
        cost = zoo.dry_run("finetune", weights, out=request.out / "dry", settings={"steps": 10}, **asked)
        found = zoo.features(weights, samples=request.samples, seed=request.seed, **asked)
        tensors = {depth: vectors.numpy() for depth, vectors in found.vectors.items()}
        facts = {key: getattr(cost, key) for key in _COST} | {"parameters": found.parameters, "depths": list(tensors)}
        _write(kept, {**tensors, "labels": found.labels.numpy()}, facts)
        stored = {**tensors, "labels": found.labels.numpy()}, facts
    tensors, facts = stored
    labels = tensors.pop("labels")
    depths = [tensors[depth] for depth in facts["depths"]]
    folds = folds_of(labels, request.seed)
    single = labels.ndim == 1
    probed = probe(depths, labels, folds)
    return Estimate(
        name,
        probed,
        float(np.mean([log_me(vectors, labels) for vectors in depths])),
        float(np.mean([h_score(vectors, labels) for vectors in depths])) if single else None,
        n_leep(tensors["head"], labels, seed=request.seed) if single else None,
        facts["parameters"],
        facts["train_samples"] / facts["samples_per_second"],
        facts["samples_per_second"] / facts["batch_size"],
        facts["memory"],
        _license(name, weights),
        tuple(facts["depths"]),
        labels,
        facts["train_samples"],
        sum(file.stat().st_size for file in zoo.stored_tensors(weights).files),
    )


def _license(name: str, weights: Path) -> str | None:
    try:
        return zoo.published(name).license
    except zoo.ZooError:
        return None


def _file(weights: Path, request: "Request") -> Path:
    """Return where the features of weights are kept: by the weights' bytes, and all that decides about the samples."""
    stored = zoo.stored_tensors(weights)
    said = {
        "weights": list(zoo.common_hashes(stored.files).values()),
        "task": request.task,
        "data": _data_identity(request),
        "samples": request.samples,
        "seed": request.seed,
        "zoo": zoo.__version__,
    }
    key = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    return zoo.cache_folder() / "choose" / f"{key}.safetensors"


def _data_identity(request: "Request") -> list[Any]:
    """Return what names the data; of files and folders also their contents, so that new ones count."""
    said: list[Any] = [request.data, sorted((key, str(value)) for key, value in request.arguments.items())]
    for place in (request.data, request.arguments.get("data_dir")):
        path = Path(str(place)) if place else None
        if path is not None and path.exists():
            files = [file for file in sorted(path.rglob("*")) if file.is_file()] if path.is_dir() else [path]
            said.append([(str(file), digest) for file, digest in zoo.common_hashes(files).items()])
    return said


def _read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]] | None:
    try:
        with safe_open(path, framework="np") as file:
            facts = json.loads(file.metadata()["facts"])
            if set(facts["depths"]) | {"labels"} != set(file.keys()):
                return None
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # it is no mapping
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None  # there is none, or one that broke off: it is made again


def _write(path: Path, tensors: dict[str, NDArray[Any]], facts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zoo.storage_errors(f"writing {path}"):
        zoo.write_file(path, save(tensors, metadata={"facts": json.dumps(facts)}))
