"""What was measured of a repo: `.eval_results/*.yaml`, and the card's `model-index`; written by strangers."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from zoo.hub.server.frontmatter import parse
from zoo.hub.server.trees import Entry

FOLDER = ".eval_results"
_MOST = 50
_MAX_RESULTS = 64 * 1024  # bytes of YAML, together


@dataclass(frozen=True)
class Result:
    """One measured figure; `value` is whatever stands there."""

    data: str
    metric: str
    value: Any


def of_files(read: Callable[[str, int], bytes], entries: Iterable[Entry]) -> Iterator[Result]:
    """Yield the results in the files of `.eval_results`, as far as they are read."""
    left = _MAX_RESULTS
    for entry in [entry for entry in entries if entry.name.endswith((".yaml", ".yml"))][:_MOST]:
        left -= entry.size
        if entry.folder or left < 0:
            continue
        try:
            yield from _of_yaml(entry.name.rpartition(".")[0], read(entry.sha256, entry.size))
        except OSError:
            continue


@lru_cache(maxsize=256)
def _of_yaml(name: str, content: bytes) -> list[Result]:
    try:
        listed = parse(content.decode("utf-8", "replace"))
    except ValueError:
        return []
    found = []
    for item in listed if isinstance(listed, list) else [listed]:
        if isinstance(item, dict) and "value" in item:
            data = item.get("dataset")
            data = data if isinstance(data, dict) else {"id": data}
            metric = item.get("metric") or data.get("task_id") or name
            found.append(Result(_text(data.get("name") or data.get("id")), _text(metric), item["value"]))
    return found[:_MOST]


def of_card(card: Mapping[str, Any]) -> Iterator[Result]:
    """Yield the results that a card's front matter lists."""
    for model in _dicts(card.get("model-index")):
        for result in _dicts(model.get("results")):
            data = result.get("dataset")
            name = data.get("name") or data.get("type") if isinstance(data, dict) else None
            for metric in _dicts(result.get("metrics")):
                yield Result(_text(name), _text(metric.get("name") or metric.get("type")), metric.get("value"))


def first_number(results: Iterable[Result]) -> float | None:
    """Return the first result that is a number: what lists sort by."""
    numbers = (result.value for result in results)
    return next((float(value) for value in numbers if type(value) in (int, float) and abs(value) < 1e300), None)


def shown(value: Any) -> str:
    """Return a result's value as a page shows it."""
    return f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else _text(value)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)[:100]
