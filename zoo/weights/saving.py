"""Save a model that somebody trained by a loop of their own, so that `load` reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from torch import nn

from zoo.errors import UsageError
from zoo.files import new_folder, storage_errors
from zoo.registry.registry import Offer, default_registry
from zoo.specs.modality import Inputs
from zoo.specs.records import ModelSpec
from zoo.weights.assembly import assemble
from zoo.weights.build import full_arguments
from zoo.weights.description import FORMAT_VERSION, WeightsDescription
from zoo.weights.fit import ties_of
from zoo.weights.folder import offered_model, write_weights
from zoo.weights.inputs import inputs_record, read_inputs
from zoo.weights.replacing import check_out

_ATTRIBUTE = "_zoo_origin"  # an attribute, so that a deep copy such as a moving average has it too


@dataclass(frozen=True)
class Origin:
    """What a model was made from: its description, and the folder that it was loaded from, if any."""

    block: WeightsDescription
    folder: Path | None = None


def remember(model: nn.Module, block: WeightsDescription, folder: Path | None = None) -> None:
    """Let a model know what it was made from."""
    setattr(model, _ATTRIBUTE, Origin(block, folder))


def fresh_block(offer: Offer[ModelSpec], arguments: Mapping[str, Any]) -> WeightsDescription:
    """Return the description of a model that has seen no data; `arguments` are all of its arguments."""
    return WeightsDescription(
        format_version=FORMAT_VERSION,
        plugin=offer.plugin.distribution,
        plugin_version=offer.plugin.version,
        architecture=offer.spec.name,
        arguments=dict(arguments),
        task=offer.spec.task,
    )


def save_model(
    model: nn.Module,
    folder: Path,
    *,
    name: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    task: str | None = None,
    labels: Sequence[str] | None = None,
    inputs: Inputs | None = None,
    force: bool = False,
) -> None:
    """Write a weights folder, whole or not at all, of a model that `create` or `load` made, or whose name is given."""
    check_out(folder, force=force, how="force=True")
    origin: Origin | None = getattr(model, _ATTRIBUTE, None)
    if name is not None:
        offer = default_registry().model(name)
        origin = Origin(fresh_block(offer, full_arguments(offer, arguments or {})))
    elif origin is None:
        raise UsageError(
            f"nobody knows how to build this {type(model).__name__} again; give name= and arguments=, those of "
            "zoo.create, or save a model that zoo.create or zoo.load made"
        )
    elif arguments is not None:
        raise UsageError("arguments are given without a name; give name= as well")
    block, read = origin.block, inputs
    offer = offered_model(block, "the model")
    if read is None and block.inputs is not None and origin.folder is not None:
        read = read_inputs(origin.folder, offer.spec.modality, block.inputs, block.arguments)
    block = replace(block, task=task or block.task, inputs=inputs_record(read), recipe=None, data=None, adapter=None)
    if labels is not None:
        block = replace(block, labels=tuple(labels))
    _check(model, offer, block)
    with storage_errors(f"writing weights to {folder}"), new_folder(folder) as temporary:
        write_weights(temporary, model, block)
        if read is not None:
            read.write(temporary)


def _check(model: nn.Module, offer: Offer[ModelSpec], block: WeightsDescription) -> None:
    """Raise UsageError unless the model that is described has the very tensors of this one."""
    num_classes = block.arguments.get("num_classes")
    if block.head is None and block.labels and num_classes not in (None, len(block.labels)):
        raise UsageError(f"{len(block.labels)} labels are given for {num_classes} classes; give one for each")
    described = assemble(offer, block, device="meta")
    wanted, found = ({name: tuple(tensor.shape) for name, tensor in m.state_dict().items()} for m in (described, model))
    if wanted != found or ties_of(described) != ties_of(model):
        different = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        example = f" ({different[0]}: {found.get(different[0])}, not {wanted.get(different[0])})" if different else ""
        raise UsageError(
            f"this model is no {block.architecture!r} with these arguments: {len(different)} tensors differ{example}; "
            "give name= and arguments= as for zoo.create"
        )
