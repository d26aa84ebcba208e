"""Let a fresh model begin at weights of somebody else, as far as both have the same tensors."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.errors import UsageError
from zoo.publishing.licences import licence_of
from zoo.registry.loading import load_modality, naming
from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import Inputs
from zoo.specs.modality_offers import SharedRows, SharesRows
from zoo.specs.networks import Network
from zoo.specs.records import ModelSpec
from zoo.specs.settings import TrainingSettings
from zoo.weights.build import build
from zoo.weights.config import read_config
from zoo.weights.description import WeightsDescription
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import load_weights, offered_model

_log = logging.getLogger("zoo")


def started(
    offer: Offer[ModelSpec], arguments: Mapping[str, Any], inputs: Inputs, settings: TrainingSettings
) -> nn.Module:
    """Return a fresh model, with the tensors of the weights that the setting `start` names, if it names any.

    Those are taken whose name and shape are the same. Of tables with a row for each token, and the like, the rows are
    taken that mean the same in both. Raise UsageError where nothing fits.
    """
    model, source = build(offer, arguments), _named(settings)
    if not source:
        return model
    folder = find_weights(source)
    block = read_config(folder)
    theirs: Any = load_weights(folder, block, dtype="float32")
    known = (theirs.backbone if isinstance(theirs, Network) else theirs).state_dict()
    rows = _shared_rows(offer, inputs, folder, block)
    tables = set() if rows is None else _tables(offer, arguments, rows.argument)
    mine = {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
    with torch.no_grad():
        taken = [
            name
            for name, tensor in mine.items()
            if name in known and _taken(tensor, known[name], rows if name in tables else None)
        ]
    if not any(mine[name].ndim > 1 for name in taken):
        raise UsageError(
            f"start={source}: no tensor of {offer.spec.name} has the name and shape of one of {block.architecture}; "
            "give this model its sizes, such as --arg width=N"
        )
    shared = f", with {len(rows.mine):,} rows of each table" if rows is not None and tables & set(taken) else ""
    _log.info("start=%s: %d of %d tensors are taken from there%s", source, len(taken), len(mine), shared)
    return model


def start_licence(settings: TrainingSettings) -> dict[str, str]:
    """Return the licence of the weights that a model begins at, as run.json keeps it."""
    source = _named(settings)
    return {"base_licence": licence_of(find_weights(source), source, WeightsQuery())} if source else {}


def _named(settings: TrainingSettings) -> str:
    return str(getattr(settings, "start", ""))


def _shared_rows(offer: Offer[ModelSpec], inputs: Inputs, folder: Path, block: WeightsDescription) -> SharedRows | None:
    """Return the rows of tables that mean the same here and there; None where there are none such."""
    name, theirs = offer.spec.modality, offered_model(block, str(folder / "config.json")).spec.modality
    modality = load_modality(name)
    if theirs != name or not isinstance(modality, SharesRows):
        return None
    with naming(default_registry().modality(name).plugin, f"modality {name!r}"):
        return modality.shared_rows(inputs, folder, block)


def _tables(offer: Offer[ModelSpec], arguments: Mapping[str, Any], name: str) -> set[str]:
    """Return the tensors that get longer with an argument."""
    if not isinstance(arguments.get(name), int):
        return set()
    sizes = [
        {key: tensor.shape[:1] for key, tensor in build(offer, values, device="meta").state_dict().items()}
        for values in (arguments, {**arguments, name: arguments[name] + 1})
    ]
    return {key for key, size in sizes[0].items() if sizes[1].get(key) != size}


def _taken(tensor: Tensor, known: Tensor, rows: SharedRows | None) -> bool:
    """Take a tensor, or of a table the rows that are shared; tell whether it fits."""
    if rows is not None:
        fits = tensor.shape[1:] == known.shape[1:] and len(rows.mine) > 0
        if fits:
            tensor[torch.tensor(rows.mine)] = known[torch.tensor(rows.theirs)]
        return fits
    if fits := tensor.shape == known.shape:
        tensor.copy_(known)
    return fits
