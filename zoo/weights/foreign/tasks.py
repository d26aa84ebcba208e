"""What weights of another library are for."""

from collections.abc import Mapping
from typing import Any

from zoo.errors import IntegrityError
from zoo.specs.layouts import Layout
from zoo.specs.records import ModelSpec
from zoo.weights.foreign.defaults import told


def task_of(spec: ModelSpec, layout: Layout, config: Mapping[str, Any], num_classes: int, missing: list[str]) -> str:
    """Return what weights are for, as the class in config.json says; without their head they give features.

    Raise IntegrityError where the class has a head of which tensors are `missing`.
    """
    if num_classes:
        return f"{spec.modality}-classification"
    if spec.modality == "image":
        return "image-feature-extraction"
    said = config.get("architectures") or ["none"]
    named = [task for task, name in layout.architectures.items() if name == said[0]]
    if missing and named == [spec.task]:
        keys = {layout.options[twin.argument] for twin in layout.twins if twin.argument}
        tied = "".join(
            f" with {told(key, config, layout.defaults[key], layout)}" for key in keys if not config.get(key)
        )
        raise IntegrityError(
            f"config.json names the class {said[0]}{tied}, but the weights lack {missing[0]}, which {layout.library} "
            "would draw at random; get a fresh copy"
        )
    return named[0] if named else "feature-extraction" if missing else spec.task
