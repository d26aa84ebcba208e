"""A weights folder: config.json beside model.safetensors. Write one, and load one strictly and by memory map."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from zoo.errors import IntegrityError, NotFoundError
from zoo.paths import new_folder, storage_errors
from zoo.registry import Offer, default_registry
from zoo.specs import ModelSpec
from zoo.weights.build import build, build_buffers, check_arguments, full_arguments
from zoo.weights.config import (
    FORMAT_VERSION,
    DataRecord,
    Preprocessing,
    RecipeRecord,
    ZooBlock,
    read_config,
    write_config,
)
from zoo.weights.foreign import find_foreign
from zoo.weights.header import TensorHeader, read_header

WEIGHTS_FILE = "model.safetensors"
_DTYPES = {
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float64: "F64",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}


def save_weights(
    folder: Path,
    model: nn.Module,
    *,
    model_name: str,
    arguments: Mapping[str, Any],
    task: str | None = None,
    labels: tuple[str, ...] = (),
    preprocessing: Preprocessing | None = None,
    recipe: RecipeRecord | None = None,
    data: DataRecord | None = None,
) -> None:
    """Write a weights folder, whole or not at all. An existing one of that name is replaced."""
    offer = default_registry().model(model_name)
    block = ZooBlock(
        format_version=FORMAT_VERSION,
        plugin=offer.plugin.distribution,
        plugin_version=offer.plugin.version,
        architecture=offer.spec.name,
        arguments=full_arguments(offer, arguments),
        task=task or offer.spec.task,
        labels=labels,
        preprocessing=preprocessing,
        recipe=recipe,
        data=data,
    )
    with storage_errors(f"writing weights to {folder}"), new_folder(folder) as temporary:
        write_weights(temporary, model, block)


def write_weights(folder: Path, model: nn.Module, block: ZooBlock) -> None:
    """Write model.safetensors and config.json into a folder that exists. Tied tensors are stored once."""
    tensors = {name: tensor.detach().to("cpu").contiguous() for name, tensor in _untied_state(model).items()}
    save_file(tensors, folder / WEIGHTS_FILE, metadata={"format": "pt"})
    write_config(folder, block)


def load_weights(folder: Path, block: ZooBlock | None = None) -> nn.Module:
    """Build the folder's model on the meta device, check it against the file's header, and map the tensors into it.

    Every tensor must be there with its shape and dtype, and none besides. The model is in eval mode.
    """
    block = block or read_config(folder)
    source = str(folder / "config.json")
    offer = offered_model(block, source)
    check_arguments(offer, block.arguments, source)
    model = build(offer, block.arguments, device="meta")
    ties = _ties(model)
    foreign = find_foreign(folder)
    path = foreign.path if foreign else folder / WEIGHTS_FILE
    _check_tensors(model.state_dict(), ties, foreign.headers if foreign else read_header(path), path)
    tensors: dict[str, Tensor] = foreign.load() if foreign else load_file(path)
    for name, first in ties.items():
        tensors[name] = tensors[first]
    model.load_state_dict(tensors, strict=True, assign=True)
    _tie(model, ties)
    if left := _without_values(model):
        _restore_buffers(model, offer, block.arguments)
        left = _without_values(model)
    if left:
        raise IntegrityError(
            f"{path} left {len(left)} tensors of {block.architecture!r} without values, such as {left[0]!r}"
        )
    return model.eval()


def offered_model(block: ZooBlock, source: str) -> Offer[ModelSpec]:
    """Return the model that config.json names, from the very plugin that it names."""
    registry = default_registry()
    installed = {plugin.distribution for plugin in registry.plugins}
    if block.plugin not in installed:
        raise NotFoundError(f"{source} needs plugin {block.plugin}, which is not installed: pip install {block.plugin}")
    try:
        offer = registry.model(block.architecture)
    except NotFoundError as error:
        raise IntegrityError(
            f"{source} names the architecture {block.architecture!r}, which plugin {block.plugin} does not offer; "
            f"upgrade it: pip install -U {block.plugin}"
        ) from error
    if offer.plugin.distribution != block.plugin:
        raise IntegrityError(
            f"{source} says that plugin {block.plugin} offers {block.architecture!r}, but here "
            f"{offer.plugin.distribution} does; get a fresh copy, or install the plugin that it names"
        )
    return offer


def _untied_state(model: nn.Module) -> dict[str, Tensor]:
    ties = _ties(model)
    return {name: tensor for name, tensor in model.state_dict().items() if name not in ties}


def _ties(model: nn.Module) -> dict[str, str]:
    """Return for every parameter that has several names each further name with the first one."""
    first: dict[int, str] = {}
    ties = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if (known := first.setdefault(id(parameter), name)) != name:
            ties[name] = known
    return ties


def _tie(model: nn.Module, ties: Mapping[str, str]) -> None:
    for name, first in ties.items():
        owner, _, attribute = name.rpartition(".")
        setattr(model.get_submodule(owner), attribute, model.get_parameter(first))


def _check_tensors(
    wanted: Mapping[str, Tensor], ties: Mapping[str, str], found: Mapping[str, TensorHeader], path: Path
) -> None:
    names = [name for name in wanted if name not in ties]
    described = {name: TensorHeader(str(_DTYPES.get(wanted[name].dtype)), tuple(wanted[name].shape)) for name in names}
    if described == found:
        return
    missing = [name for name in names if name not in found]
    unexpected = [name for name in found if name not in wanted or name in ties]
    wrong = [
        f"{name} {list(found[name].shape)} instead of {list(wanted[name].shape)}"
        for name in names
        if name in found and found[name].shape != tuple(wanted[name].shape)
    ]
    types = [
        f"{name} {found[name].dtype} instead of {_DTYPES.get(wanted[name].dtype)}"
        for name in names
        if name in found and found[name].dtype != _DTYPES.get(wanted[name].dtype)
    ]
    kinds = {"missing": missing, "unexpected": unexpected, "wrong shape": wrong, "wrong dtype": types}
    faults = [
        f"{len(items)} {kind} ({', '.join(items[:5])}{', …' if len(items) > 5 else ''})"
        for kind, items in kinds.items()
        if items
    ]
    if faults:
        raise IntegrityError(f"{path} does not fit its config.json: {'; '.join(faults)}; get a fresh copy")


def _restore_buffers(model: nn.Module, offer: Offer[ModelSpec], arguments: Mapping[str, Any]) -> None:
    """Compute the buffers that no file holds (non-persistent ones), which the meta device left without values."""
    real = dict(build_buffers(offer, arguments).named_buffers())
    for name, buffer in list(model.named_buffers()):
        if buffer.is_meta:
            owner, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(owner), attribute, real[name])


def _without_values(model: nn.Module) -> list[str]:
    tensors = itertools.chain(model.named_parameters(), model.named_buffers())
    return [name for name, tensor in tensors if tensor.is_meta]
