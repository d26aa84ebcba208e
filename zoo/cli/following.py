"""What can be done next with a run, as lines to type."""

import shlex
from collections.abc import Mapping

from zoo import api
from zoo.trainings import RunResult

_WRITES = {
    "text-generation": 'zoo generate {run} "TEXT"',
    "translation": 'zoo translate {run} "TEXT"',
    "summarization": "zoo summarize {run} FILE",
}


def after_pretraining(result: RunResult, model: str) -> list[str]:
    """Return what follows weights that know no task yet."""
    block, run = api.describe(result.weights), str(result.folder)
    task = "text-classification" if block.tokenisation else "image-classification"
    lines = [f"zoo finetune {run} --task {task} --data DATA --out {run}-classifier"]
    if block.task in _WRITES:
        lines.append(_WRITES[block.task].format(run=run))
    return [*lines, f"zoo push {run} you/{model}"]


def after_finetuning(result: RunResult, data: str, columns: Mapping[str, str]) -> list[str]:
    """Return what follows weights that were finetuned for a task, on these columns of the data."""
    block, run = api.describe(result.weights), str(result.folder)
    named = [word for role, name in columns.items() for word in (f"--{role}", name)]
    use = 'zoo predict {run} "TEXT"…' if block.tokenisation else "zoo predict {run} IMAGES…"
    return [
        shlex.join(["zoo", "evaluate", run, "--data", data, *named]),
        _WRITES.get(block.task, use).format(run=run),
        f"zoo push {run} you/{result.folder.name}",
    ]
