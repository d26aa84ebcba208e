"""Export a run as a weights folder, ready to be pushed: tensors, config, card, recipe, metrics, pictures."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from zoo.card import render_card
from zoo.engine.run import RECORD, Run
from zoo.paths import new_folder, storage_errors
from zoo.weights.config import ZooBlock
from zoo.weights.folder import write_weights


def export_run(run: Run, model: nn.Module, block: ZooBlock, scores: dict[str, float], pictures: Sequence[Path]) -> Path:
    """Write the run's weights folder, whole or not at all, and return it."""
    folder = run.folder / "weights"
    with storage_errors(f"writing weights to {folder}"), new_folder(folder) as temporary:
        write_weights(temporary, model, block)
        shutil.copyfile(run.folder / "recipe.toml", temporary / "recipe.toml")
        shutil.copyfile(run.metrics, temporary / "metrics.jsonl")
        shutil.copyfile(run.folder / "run.json", temporary / RECORD)
        (temporary / "pictures").mkdir()
        for picture in pictures:
            shutil.copyfile(picture, temporary / "pictures" / picture.name)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        card = render_card(
            block, scores, [picture.name for picture in pictures], parameters, run.resolved, recipe=run.recipe_text
        )
        (temporary / "README.md").write_text(card, encoding="utf-8")
    return folder
