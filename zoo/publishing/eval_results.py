"""The scores of a run, and as .eval_results/*.yaml, which the Hub shows where the data set is one that it knows."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.engine.history import read_metrics, scores_of
from zoo.errors import IntegrityError
from zoo.registry.registry import default_registry
from zoo.weights.description import WeightsDescription

RESULTS_FOLDER = ".eval_results"


def hub_dataset(name: str) -> str | None:
    """Return what the Hub calls a data set that is known by name."""
    found = (offer.spec for offer in default_registry().offers("datasets") if offer.spec.name == name)
    return next((spec.hub_id for spec in found), None)


def recorded_scores(folder: Path) -> dict[str, float]:
    """Return the scores on the test split that metrics.jsonl ends with; none where nothing was scored."""
    scored = [line for line in read_metrics(folder) if line["event"] == "test"]
    return scores_of(scored[-1]) if scored else {}


def write_results(folder: Path, block: WeightsDescription, scores: Mapping[str, float], url: str | None) -> None:
    """Write the scores in the Hub's format, where the data set has a name there; `url` says where they come from."""
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    dataset = hub_dataset(block.data.name) if block.data else None
    if dataset is None or not scores:
        return
    entries = [
        EvalResultEntry(
            dataset_id=dataset,
            task_id=name,
            value=value,
            source_url=url,
            source_name="zoo" if url else None,
            notes="test split, one run",
        )
        for name, value in scores.items()
    ]
    (folder / RESULTS_FOLDER).mkdir(exist_ok=True)
    text = yaml.safe_dump(eval_result_entries_to_yaml(entries), sort_keys=False)
    (folder / RESULTS_FOLDER / f"{dataset.partition('/')[2]}.yaml").write_text(text, encoding="utf-8")


def check_results(folder: Path) -> int:
    """Check the form of every file of results; return how many scores they declare. Raise IntegrityError."""
    import yaml

    count = 0
    for path in sorted((folder / RESULTS_FOLDER).glob("*.yaml")):
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise IntegrityError(f"{path} is not YAML: {error}; push the run again") from None
        if not isinstance(entries, list):
            raise IntegrityError(f"{path} holds no list of results; push the run again")
        for entry in entries:
            _check_entry(entry, path)
        count += len(entries)
    return count


def _check_entry(entry: Any, path: Path) -> None:
    match entry:
        case {"dataset": {"id": str(), "task_id": str()}, "value": int() | float()}:
            return
    raise IntegrityError(f"{path} declares a result without data set, task or value; push the run again")
