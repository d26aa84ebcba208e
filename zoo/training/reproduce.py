"""Train again what made a run or weights, from the record that they carry, and compare what comes out."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from zoo.engine.options import RunOptions
from zoo.engine.run import RECORD, Run
from zoo.errors import IntegrityError, NotFoundError
from zoo.modalities.data_source import data_source
from zoo.registry.recipe_settings import current_settings
from zoo.strict_json import parse_json
from zoo.training.job import TrainingJob
from zoo.training.pins import check_pins, pinned_source
from zoo.training.prepare import prepare_job
from zoo.training.request import FinetuneRequest, PretrainRequest
from zoo.training.result import RunResult
from zoo.training.run import run_job
from zoo.weights.config import read_config
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.stored import tensors_sha256


@dataclass(frozen=True)
class Reproduction:
    """What came out. `scores` pairs those on record with those of now; `differs` says what was not as it was then."""

    result: RunResult
    identical: bool
    scores: dict[str, tuple[float | None, float]]
    differs: tuple[str, ...]


def reproduce_run(source: str | Path, query: WeightsQuery, run: RunOptions) -> Reproduction:
    """Train again and compare the weights' bytes and the scores with those on record.

    Raise IntegrityError when the data are other data now.
    """
    folder = find_weights(source, query)
    record = _placed(_record(Path(source), folder), Path(source))
    job = _job(record, run)
    check_pins(record.get("pins") or {}, job.resolved["pins"], str(source))
    then, now = record["data"]["fingerprint"], job.resolved["data"]["fingerprint"]
    if then != now:
        raise IntegrityError(
            f"{source} was trained on different data named {record['data']['name']!r}: sha256 {then}, here {now}; "
            "give the same data"
        )
    environment: dict[str, Any] = record.get("environment") or {}
    with _threads(environment.get("threads")):
        result = run_job(job)
    recorded = _recorded_scores(folder)
    differs = tuple(
        f"{name} {value} then, {job.resolved['environment'].get(name)} now"
        for name, value in environment.items()
        if job.resolved["environment"].get(name) != value
    )
    return Reproduction(
        result=result,
        identical=tensors_sha256(folder) == tensors_sha256(_counterpart(folder, result)),
        scores={name: (recorded.get(name), value) for name, value in result.scores.items()},
        differs=differs,
    )


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Compute with as many threads as then: sums run in an order that depends on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _record(source: Path, weights: Path) -> dict[str, Any]:
    if (source / "run.json").is_file():
        return Run.recorded(source)
    path = weights / RECORD
    if not path.is_file():
        raise NotFoundError(f"{source} has no record of its training ({RECORD}); give the run that made it")
    return parse_json(path.read_bytes(), str(path))


def _placed(record: dict[str, Any], source: Path) -> dict[str, Any]:
    """Return the record with what it names by a path where that lies: below where it was started, or near the run.

    A name stays as it is where nothing is found.
    """
    bases = [Path(str(record.get("folder") or ".")), *source.absolute().parents]

    def found(value: Any) -> Any:
        if not isinstance(value, str) or not value or "://" in value or Path(value).is_absolute():
            return value
        return next((str(base.absolute() / value) for base in bases if (base / value).exists()), value)

    place, settings = record.get("source") or {}, record.get("settings") or {}
    places = {name: found(place.get(name)) for name in ("name", "folder", "hub") if name in place}
    names = {name: found(value) for name, value in settings.items() if "/" in str(value) or "." in str(value)}
    others: dict[str, Any] = {name: found(record[name]) for name in ("weights", "hub") if name in record}
    return {**record, **others, "source": {**place, **places}, "settings": {**settings, **names}}


def _counterpart(folder: Path, result: RunResult) -> Path:
    """Return what of the new run is the same kind of weights: an adapter alone, or all of them."""
    return result.folder / "adapter" if read_config(folder).adapter is not None else result.weights


def _job(record: Mapping[str, Any], run: RunOptions) -> TrainingJob:
    """Settle the job on record again. Raise IntegrityError where the record lacks something."""
    try:
        place = record["source"]
        # a record of before said of images and of texts each in its own place
        said = {"skip_bad": place.get("skip_bad", 0), "columns": place.get("columns")}
        data = data_source(str(place["name"]), place["folder"], place.get("hub"), place.get("options"), **said)
        pins, hub = record.get("pins") or {}, record.get("hub")
        known = current_settings(str(record["recipe"]), record["settings"])
        settings = {name: value for name, value in known.items() if value is not None}
        settings |= {name: pinned_source(settings[name], pins[name], None) for name in pins if name in settings}
        arguments = {**record["arguments"], **record.get("data_arguments", {})}
        requested = {"settings": settings, "arguments": arguments, "repeated": True}
        common: dict[str, Any] = {"data": data, "run": run, **requested}
        if record["kind"] == "pretrain":
            model, recipe = str(record["model"]), str(record["recipe"])
            return prepare_job(PretrainRequest(model=model, recipe=recipe, **common))
        return prepare_job(
            FinetuneRequest(
                weights=pinned_source(str(record["weights"]), pins.get("weights"), hub),
                task=str(record["task"]),
                labels=record["labels"],
                query=WeightsQuery(hub=hub),
                **common,
            )
        )
    except (KeyError, TypeError) as error:
        raise IntegrityError(f"the record of this run lacks {error}; it was made by another version of Zoo") from None


def _recorded_scores(folder: Path) -> dict[str, float]:
    """Return the scores on the test split that metrics.jsonl ends with."""
    path = folder / "metrics.jsonl"
    if not path.is_file():
        return {}
    lines = [parse_json(line, str(path)) for line in path.read_bytes().splitlines()]
    none: dict[str, Any] = {}
    last = next((line for line in reversed(lines) if line.get("event") == "test"), none)
    return {name: value for name, value in last.items() if isinstance(value, float)}
