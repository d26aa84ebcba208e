"""Build what config.json describes: a model, and on it the network of its task where it has one."""

import inspect
from contextlib import nullcontext
from typing import Any, cast

import torch
from torch import nn

from zoo.errors import IntegrityError, PluginError
from zoo.registry.loading import plugin_failed
from zoo.registry.registry import Offer, default_registry
from zoo.specs.named import load_target
from zoo.specs.records import ModelSpec, TaskSpec
from zoo.weights.build import NoInitialisation, build, check_arguments, check_call, parameters_on_meta
from zoo.weights.description import WeightsDescription

_LARGEST = 4096
"""What an integer argument of a task's network may ask for."""


def check_block(offer: Offer[ModelSpec], block: WeightsDescription, source: str) -> None:
    """Check the arguments that a stranger's config.json asks for. Raise IntegrityError."""
    check_arguments(offer, block.arguments, source)
    if block.head is None:
        return
    target = _network(_task(block, source))
    limits = dict.fromkeys(block.head, _LARGEST)
    check_call(target, block.head, limits, f"the network for {block.task}", source, given=("backbone", "num_classes"))


def assemble(offer: Offer[ModelSpec], block: WeightsDescription, *, device: str = "cpu") -> nn.Module:
    """Build the model on a device; "meta" allocates nothing."""
    backbone = build(offer, block.arguments, device=device)
    if block.head is None:
        return backbone
    with torch.device(device), NoInitialisation() if device == "meta" else nullcontext():
        return put_head(backbone, block)


def put_head(backbone: nn.Module, block: WeightsDescription) -> nn.Module:
    """Put the head that a block describes on a backbone with another one: the task's network, or a classifier."""
    if block.head is not None:
        network = _network(_task(block, "config.json"))
        try:
            return cast(nn.Module, network(backbone, len(block.labels), **block.head))
        except (ValueError, TypeError) as error:
            raise IntegrityError(
                f"config.json asks for a network for {block.task} that cannot be built: {error}; get a fresh copy"
            ) from None
    if "num_classes" in block.arguments:
        cast(Any, backbone).reset_classifier(block.arguments["num_classes"])
    return backbone


def assemble_buffers(offer: Offer[ModelSpec], block: WeightsDescription) -> nn.Module:
    """Build the model with real buffers, and parameters without values: on the meta device, where that can be.

    Some models make buffers where a parameter lies, or of its values: theirs lie where buffers do, and are not filled.
    """
    try:
        with parameters_on_meta(), NoInitialisation(parameters_alone=True):
            model = assemble(offer, block)
    except PluginError:
        model = None
    if model is not None and not any(buffer.is_meta for buffer in model.buffers()):
        return model
    with torch.random.fork_rng(devices=[]), NoInitialisation(parameters_alone=True):
        return assemble(offer, block)


def _task(block: WeightsDescription, source: str) -> Offer[TaskSpec]:
    offer = default_registry().task(block.task)
    if offer.spec.network is None:
        raise IntegrityError(f"{source} has a head for {block.task}, which takes none; get a fresh copy")
    return offer


def _network(offer: Offer[TaskSpec]) -> Any:
    try:
        target = load_target(str(offer.spec.network))
        inspect.signature(target)
    except Exception as error:
        what = f"network {offer.spec.network!r} of {offer.spec.name!r}"
        raise plugin_failed(offer.plugin, what, error) from error
    return target
