"""Export a run as a weights folder, ready to be pushed: tensors, config, self-test, card, recipe, metrics, pictures."""

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from torch import nn

from zoo.card import write_card
from zoo.engine.run import RECORD, Run
from zoo.paths import new_folder, storage_errors
from zoo.registry import default_registry
from zoo.weights.config import ZooBlock
from zoo.weights.folder import described_model, load_weights, write_weights
from zoo.weights.selftest import write_selftest

_log = logging.getLogger("zoo")


def export_run(run: Run, model: nn.Module, block: ZooBlock, pictures: Sequence[Path]) -> Path:
    """Write the run's weights folder, whole or not at all, and return it. Its scores are those in the run's metrics."""
    folder = run.folder / "weights"
    spec = default_registry().model(block.architecture).spec
    with storage_errors(f"writing weights to {folder}"), new_folder(folder) as temporary:
        write_weights(temporary, model, block)
        # what is tested is what others will load: the file's values, on the CPU
        described = described_model(block, str(temporary / "config.json"))
        if not write_selftest(temporary, load_weights(temporary, block), block, described):
            _log.info("no self-test for %s: it takes inputs that zoo does not know", block.architecture)
        shutil.copyfile(run.folder / "recipe.toml", temporary / "recipe.toml")
        shutil.copyfile(run.metrics, temporary / "metrics.jsonl")
        shutil.copyfile(run.folder / "run.json", temporary / RECORD)
        (temporary / "pictures").mkdir()
        for picture in pictures:
            shutil.copyfile(picture, temporary / "pictures" / picture.name)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        write_card(temporary, block, parameters=parameters, licence=spec.licence.lower())
    return folder
