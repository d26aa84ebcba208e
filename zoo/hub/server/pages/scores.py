"""What a repo says of its own quality: `.eval_results/*.yaml`, and the card's `model-index`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from zoo.hub.server.access import Access
from zoo.hub.server.frontmatter import parse
from zoo.hub.server.trees import Entry

_SHOWN = 50
_MAX_RESULTS = 64 * 1024  # bytes of YAML, together


@dataclass(frozen=True)
class Score:
    """One measured figure."""

    data: str
    metric: str
    value: str


def scores(access: Access, card: Mapping[str, Any], files: Mapping[str, Entry]) -> list[Score]:
    """Return what was measured, each once."""
    found = [*_of_results(access, files), *_of_card(card)]
    return list(dict.fromkeys(found))[:_SHOWN]


def _of_results(access: Access, files: Mapping[str, Entry]) -> Iterator[Score]:
    folder = files.get(".eval_results")
    if folder is None or not folder.folder:
        return
    entries = access.store.trees.entries(folder.oid).values()
    left = _MAX_RESULTS
    for entry in [entry for entry in entries if entry.name.endswith((".yaml", ".yml"))][:_SHOWN]:
        left -= entry.size
        if entry.folder or left < 0:
            continue
        try:
            yield from _of_yaml(entry.name.rpartition(".")[0], access.store.blobs.read(entry.sha256, entry.size))
        except OSError:
            continue


@lru_cache(maxsize=256)
def _of_yaml(name: str, content: bytes) -> list[Score]:
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
            found.append(Score(_text(data.get("name") or data.get("id")), _text(metric), _text(item["value"])))
    return found[:_SHOWN]


def _of_card(card: Mapping[str, Any]) -> Iterator[Score]:
    for model in _dicts(card.get("model-index")):
        for result in _dicts(model.get("results")):
            data = result.get("dataset")
            name = data.get("name") or data.get("type") if isinstance(data, dict) else None
            for metric in _dicts(result.get("metrics")):
                yield Score(_text(name), _text(metric.get("name") or metric.get("type")), _text(metric.get("value")))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None or isinstance(value, dict | list) else str(value)[:100]
