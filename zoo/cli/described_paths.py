"""What `zoo info` says of a run, a weights folder, or a file of weights."""

import json
import math
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from zoo.api import models
from zoo.commands.tables import format_scores


def described_path(path: Path) -> dict[str, Any]:
    """Say what lies at a path. Raise NotFoundError where it is neither a run nor weights."""
    if (path / "run.json").is_file():
        return _run(path)
    return {"name": str(path), "kind": "weights folder" if path.is_dir() else "weights file", **_weights(path)}


def _run(path: Path) -> dict[str, Any]:
    from zoo.engine.history import read_run

    run = read_run(path)
    found = {
        "name": str(path),
        "kind": f"run, {run.state} at step {run.step:,}",
        "stage": run.known.kind,
        "model": run.known.model,
        "recipe": run.known.recipe,
        "data": run.known.data.get("name"),
        run.measured or "scores": format_scores(run.scores),
    }
    weights = _weights(path) if run.finished else {}
    return {**found, **weights, "all of it": shlex.join(["zoo", "runs", "show", str(path)])}


def _weights(path: Path) -> dict[str, Any]:
    from zoo.weights.find import weights_of
    from zoo.weights.folder import stored_weights

    block = models.describe(path)
    stored = stored_weights(weights_of(path))
    dtypes = Counter(header.dtype for header in stored.headers.values())
    return {
        "architecture": block.architecture,
        "arguments": block.arguments,
        "plugin": f"{block.plugin} {block.plugin_version}",
        "task": block.task,
        "labels": block.labels,
        "inputs": msgspec.to_builtins(block.inputs.values) if block.inputs else None,
        "trained on": block.data.name if block.data else None,
        "adapter of": f"{block.adapter.base.repo}@{block.adapter.base.commit[:7]}" if block.adapter else None,
        "tensors": len(stored.headers),
        "numbers": sum(math.prod(header.shape) for header in stored.headers.values()),
        "dtypes": ", ".join(name for name, _ in dtypes.most_common()),
        "load": f"zoo.load({json.dumps(str(path))})",
    }
