"""Export a run as a weights folder, ready to be pushed: tensors, config, self-test, card, recipe, metrics, pictures."""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace
from torch import Tensor, nn

from zoo.engine.run import RECORD, Run
from zoo.files import new_folder, storage_errors
from zoo.publishing.licences import derived_licence
from zoo.publishing.model_card import record_of_run, write_card
from zoo.specs.modality import Inputs
from zoo.weights.description import AdapterRecord, WeightsDescription
from zoo.weights.folder import described_model, load_weights, write_tensors, write_weights
from zoo.weights.selftest import write_selftest

_log = logging.getLogger("zoo")


def export_run(
    run: Run,
    model: nn.Module,
    block: WeightsDescription,
    inputs: Inputs,
    pictures: Sequence[Path],
    *,
    learnt: Mapping[str, Tensor] | None = None,
    adapter: AdapterRecord | None = None,
) -> None:
    """Write the run's weights folder, whole or not at all. Its scores are those in the run's metrics.

    With `adapter` a second folder takes what was `learnt` alone.
    """
    with _exported(run, "weights", block, inputs, pictures) as temporary:
        write_weights(temporary, model, block)
    if learnt and adapter:
        apart = replace(block, adapter=adapter)
        with _exported(run, "adapter", apart, inputs, pictures) as temporary:
            write_tensors(temporary, learnt, apart)


@contextmanager
def _exported(
    run: Run, name: str, block: WeightsDescription, inputs: Inputs, pictures: Sequence[Path]
) -> Iterator[Path]:
    """Give a folder to write tensors and config.json into; add the rest of what is published."""
    folder = run.folder / name
    with storage_errors(f"writing weights to {folder}"), new_folder(folder) as temporary:
        yield temporary
        inputs.write(temporary)
        # what is tested is what others will load: the file's values, on the CPU
        loaded = load_weights(temporary, block)
        described = described_model(block, str(temporary / "config.json"))
        if not write_selftest(temporary, loaded, block, described, inputs):
            _log.info("no self-test for %s: its arguments differ from what its modality provides", block.architecture)
        shutil.copyfile(run.folder / "recipe.toml", temporary / "recipe.toml")
        shutil.copyfile(run.metrics, temporary / "metrics.jsonl")
        # which folder it was started in is nobody else's business
        record = {name: value for name, value in run.resolved.items() if name != "folder"}
        (temporary / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        (temporary / "pictures").mkdir()
        for picture in pictures:
            shutil.copyfile(picture, temporary / "pictures" / picture.name)
        parameters = sum(parameter.numel() for parameter in loaded.parameters())
        write_card(temporary, block, parameters=parameters, license=_licence(temporary, block))


def _licence(folder: Path, block: WeightsDescription) -> str | None:
    """Return the licence of new weights, None where their base and data do not agree on it."""
    record, data = record_of_run(folder), block.data
    return derived_licence(record.get("base_licence"), None if data is None else data.license)
