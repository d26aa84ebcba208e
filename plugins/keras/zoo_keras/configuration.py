"""What a file says of its model: the layers of a Functional or a Sequential model, those of models inside it too."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zoo

_MODELS = ("Functional", "Sequential", "Model")
_CODE = ("Lambda", "__lambda__", "function")
_MAX_DEPTH = 8


@dataclass(frozen=True)
class Layer:
    """One layer: its name, its class, its settings, the layers whose outputs it takes, and where its weights lie."""

    name: str
    kind: str
    settings: dict[str, Any]
    inputs: tuple[str, ...]
    path: str


def layers_of(config: dict[str, Any], path: Path) -> list[Layer]:
    """Return the layers of a model in its order; none where it is of a class of its author's own.

    Raise IntegrityError where a layer is code.
    """
    _check_code(config, path)
    return list(_layers(config, "", 0)) if config.get("class_name") in _MODELS else []


def _layers(config: dict[str, Any], prefix: str, depth: int) -> Iterator[Layer]:
    inside = config.get("config")
    found: Any = inside.get("layers") if isinstance(inside, dict) else inside  # Keras 2 has a list in Sequential
    if not isinstance(found, list) or depth > _MAX_DEPTH:
        return
    used: Counter[str] = Counter()
    before: tuple[str, ...] = ()
    for item in found:
        if not isinstance(item, dict) or not isinstance(kind := item.get("class_name"), str):
            return
        said = item.get("config")
        settings: dict[str, Any] = said if isinstance(said, dict) else {}
        name = settings.get("name", item.get("name"))
        counted = snake_case(kind)
        place = f"{prefix}layers/{counted}" + (f"_{used[counted]}" if used[counted] else "")
        used[counted] += 1
        if not isinstance(name, str):
            return
        inputs = tuple(_inputs(item.get("inbound_nodes"))) or before
        if kind in _MODELS:
            yield from _layers(item, f"{place}/", depth + 1)
        yield Layer(name, kind, settings, inputs, place)
        before = (name,) if config.get("class_name") == "Sequential" else ()


def _inputs(nodes: Any) -> Iterator[str]:
    """Yield the names of the layers that a layer's first call takes."""
    if not isinstance(nodes, list) or not nodes:
        return
    stack = [nodes[0]]
    while stack:
        value = stack.pop(0)
        if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
            history = value.get("config", {}).get("keras_history")
            if isinstance(history, list) and history and isinstance(history[0], str):
                yield history[0]
        elif isinstance(value, dict):
            stack[:0] = list(value.values())
        elif isinstance(value, list) and len(value) >= 3 and isinstance(value[0], str):
            yield value[0]
        elif isinstance(value, list):
            stack[:0] = value


def _check_code(config: dict[str, Any], path: Path) -> None:
    stack: list[Any] = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            kind = value.get("class_name")
            if kind == "Lambda" or kind in _CODE[1:]:
                name = value.get("config", {}).get("name") if isinstance(value.get("config"), dict) else None
                raise zoo.IntegrityError(
                    f"{path} has a Lambda layer{f' ({ascii(str(name))[:80]})' if name else ''}, which is code and "
                    "never run here; save the model without it"
                )
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def snake_case(name: str) -> str:
    """Return a class's name as Keras has it in paths: `Conv2D` is conv2d, `BatchNormalization` batch_normalization."""
    import re

    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
