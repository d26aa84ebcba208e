"""A weights folder: config.json beside model.safetensors or shards. Write one, and load one strictly, by memory map."""

import itertools
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoo.errors import IntegrityError, NotFoundError
from zoo.extras import install_command
from zoo.files import new_folder, storage_errors
from zoo.printable import counted
from zoo.registry.registry import Offer, default_registry
from zoo.specs.containers import Container
from zoo.specs.modality import Inputs
from zoo.specs.records import ModelSpec
from zoo.weights.assembly import assemble, assemble_buffers, check_block
from zoo.weights.build import full_arguments
from zoo.weights.config import read_config, write_config
from zoo.weights.description import FORMAT_VERSION, DataRecord, WeightsDescription
from zoo.weights.fit import check_tensors, float_dtype, ties_of
from zoo.weights.foreign.foreign_weights import ForeignWeights
from zoo.weights.foreign.recognize import find_foreign
from zoo.weights.formats import own_container
from zoo.weights.inputs import inputs_record
from zoo.weights.onto_base import load_onto_base
from zoo.weights.stored import WEIGHTS_FILE, StoredTensors, stored_tensors

_LOOKED_AT = 32_000
"""Numbers that are looked at on loading: few enough for torch to do it without starting threads."""

_log = logging.getLogger("zoo")


def save_weights(
    folder: Path,
    model: nn.Module,
    *,
    model_name: str,
    arguments: Mapping[str, Any],
    task: str | None = None,
    labels: tuple[str, ...] = (),
    inputs: Inputs | None = None,
    data: DataRecord | None = None,
) -> None:
    """Write a weights folder, whole or not at all. An existing one of that name is replaced.

    `inputs` say how data become inputs, as a `zoo.Preprocessing` does for images; their files are written beside.
    """
    offer = default_registry().model(model_name)
    block = WeightsDescription(
        format_version=FORMAT_VERSION,
        plugin=offer.plugin.distribution,
        plugin_version=offer.plugin.version,
        architecture=offer.spec.name,
        arguments=full_arguments(offer, arguments),
        task=task or offer.spec.task,
        labels=labels,
        inputs=inputs_record(inputs),
        data=data,
    )
    with storage_errors(f"writing weights to {folder}"), new_folder(folder) as temporary:
        write_weights(temporary, model, block)
        if inputs is not None:
            inputs.write(temporary)


def write_weights(folder: Path, model: nn.Module, block: WeightsDescription) -> None:
    """Write model.safetensors and config.json into a folder that exists. Tied tensors are stored once."""
    ties = ties_of(model)
    write_tensors(folder, {name: tensor for name, tensor in model.state_dict().items() if name not in ties}, block)


def write_tensors(folder: Path, tensors: Mapping[str, Tensor], block: WeightsDescription) -> None:
    """Write model.safetensors and config.json into a folder that exists."""
    stored = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    save_file(stored, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    write_config(folder, block)


def load_weights(
    folder: Path, block: WeightsDescription | None = None, *, dtype: Any = None, device: str | torch.device = "cpu"
) -> nn.Module:
    """Build the folder's model on the meta device, check it against the files' headers, and map the tensors into it.

    Every tensor must be there with its shape and dtype, and none besides. With `dtype`, or one that config.json names,
    floating-point tensors are converted to it, from whichever they have. The model is in eval mode. An adapter is
    loaded with the base it names.
    """
    block = block or read_config(folder)
    named = block.dtype if dtype is None else dtype
    requested = None if named is None else float_dtype(named)
    source = str(folder / "config.json")
    offer = offered_model(block, source)
    check_block(offer, block, source)
    if block.adapter is not None:
        merged = load_onto_base(folder, block, partial(load_weights, dtype="float32"))
        return merged.to(device=device, dtype=requested)
    model = assemble(offer, block, device="meta")
    stored = stored_weights(folder)
    ties = ties_of(model)
    check_tensors(model.state_dict(), ties, stored.headers, stored.path, any_float=requested is not None)
    tensors = stored.load(device)
    _warn_of_ruin(tensors, stored.path)
    if requested is not None:
        tensors = {name: _converted(tensor, requested) for name, tensor in tensors.items()}
    for name, first in ties.items():
        tensors[name] = tensors[first]
    model.load_state_dict(tensors, strict=True, assign=True)
    _tie(model, ties)
    if left := _without_values(model):
        _restore_buffers(model, offer, block, requested, device)
        left = _without_values(model)
    if left:
        raise IntegrityError(
            f"{stored.path} left {counted(len(left), 'tensor')} of {block.architecture!r} without values, such as "
            f"{left[0]!r}"
        )
    return model.eval()


def stored_weights(folder: Path) -> StoredTensors | ForeignWeights | Container:
    """Return what a folder or a file holds, by our names, whoever wrote it."""
    return own_container(folder) or find_foreign(folder) or stored_tensors(folder)


def offered_model(block: WeightsDescription, source: str) -> Offer[ModelSpec]:
    """Return the model that config.json names, from the very plugin that it names."""
    registry = default_registry()
    installed = {plugin.distribution for plugin in registry.plugins}
    if block.plugin not in installed:
        raise NotFoundError(
            f"{source} needs plugin {block.plugin}, which is not installed: {install_command(block.plugin)}"
        )
    try:
        offer = registry.model(block.architecture, block.plugin)
    except NotFoundError as error:
        raise IntegrityError(
            f"{source} names the architecture {block.architecture!r}, which plugin {block.plugin} does not offer; "
            f"upgrade it: {install_command(block.plugin)} --upgrade"
        ) from error
    if offer.plugin.distribution != block.plugin:
        raise IntegrityError(
            f"{source} says that plugin {block.plugin} offers {block.architecture!r}, but here "
            f"{offer.plugin.distribution} does; get a fresh copy, or install the plugin that it names"
        )
    return offer


def described_model(block: WeightsDescription, source: str) -> ModelSpec:
    """Return the spec of what weights hold: a task's network can no more do what its backbone alone could."""
    spec = offered_model(block, source).spec
    return spec if block.head is None else replace(spec, capabilities=())


def broken_tensors(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the tensors that hold NaN or infinity."""
    return [
        name for name, tensor in tensors.items() if tensor.is_floating_point() and not bool(tensor.isfinite().all())
    ]


def _warn_of_ruin(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Warn of weights that a diverged training left: NaN in one tensor is NaN in all, so that a few small ones tell.

    To look at every byte would take longer than to load; `zoo verify` and `zoo push` do.
    """
    small: dict[str, Tensor] = {}
    left = _LOOKED_AT
    for name, tensor in reversed(list(tensors.items())):
        if tensor.is_floating_point() and tensor.numel() <= left:
            small[name] = tensor.flatten()
            left -= tensor.numel()
    # one sum is the cheapest look; finite numbers may add up to infinity, so that it only raises a suspicion
    if small and not bool(torch.cat(list(small.values())).sum().isfinite()) and (broken := broken_tensors(small)):
        _log.warning("%s holds NaN or infinity (%s, …); train again", path, broken[0])


def _converted(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _tie(model: nn.Module, ties: Mapping[str, str]) -> None:
    for name, first in ties.items():
        owner, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(owner), attribute, model.get_parameter(first))


def _restore_buffers(
    model: nn.Module,
    offer: Offer[ModelSpec],
    block: WeightsDescription,
    dtype: torch.dtype | None,
    device: str | torch.device,
) -> None:
    """Compute the buffers that no file holds (non-persistent ones), which the meta device left without values."""
    real = dict(assemble_buffers(offer, block).named_buffers())
    for name, buffer in list(model.named_buffers()):
        if buffer.is_meta:
            owner, _, attribute = name.rpartition(".")
            value = real[name] if dtype is None else _converted(real[name], dtype)
            setattr(model.get_submodule(owner), attribute, value.to(device))


def _without_values(model: nn.Module) -> list[str]:
    tensors = itertools.chain(model.named_parameters(), model.named_buffers())
    return [name for name, tensor in tensors if tensor.is_meta]
