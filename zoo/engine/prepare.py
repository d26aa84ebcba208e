"""Ready a recipe's modules for the loop: placed, laid out, compiled, recomputed and distributed as the settings ask."""

from typing import Any, cast

import torch
from torch import nn

from zoo.engine.batch_norm import synchronise_batch_norm
from zoo.engine.blocks import blocks
from zoo.engine.distribution import Distribution
from zoo.engine.recipe import Recipe
from zoo.errors import UsageError
from zoo.specs.networks import Network
from zoo.specs.settings import TrainingSettings


def place(module: nn.Module, settings: TrainingSettings, distribution: Distribution) -> nn.Module:
    """Move a module to its device, laid out as the settings say; FSDP2 knows the usual layout alone."""
    broken = distribution.device.type == "cpu" and any(map(_overruns, module.modules()))
    if settings.channels_last and distribution.sharding != "fsdp" and not broken:
        # convolutions run about twice as fast on CPU, and faster on GPU
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module.to(distribution.device)


def _overruns(module: nn.Module) -> bool:
    """Tell whether this is a convolution whose gradients overrun memory when channels lie side by side on a CPU.

    Seen with torch 2.13 (oneDNN) for strided 1x1 convolutions of fewer than 16 channels: wrong numbers, or a crash.
    """
    return (
        isinstance(module, nn.Conv2d)
        and module.kernel_size == (1, 1)
        and max(module.stride) > 1
        and module.in_channels < 16
    )


def prepare(recipe: Recipe, settings: TrainingSettings, distribution: Distribution) -> None:
    """Change the recipe's modules in place as the settings ask; its optimizers are made afterwards."""
    modules = recipe.modules()
    for module in modules.values():
        place(module, settings, distribution)
    if settings.sync_batch_norm and not distribution.alone:
        for module in modules.values():
            synchronise_batch_norm(module)
    if settings.activation_checkpointing:
        backbones = [module.backbone if isinstance(module, Network) else module for module in modules.values()]
        able = [module for module in backbones if callable(getattr(module, "set_grad_checkpointing", None))]
        if not able:
            raise UsageError("no model of this recipe supports activation checkpointing; omit activation_checkpointing")
        for module in able:
            cast(Any, module).set_grad_checkpointing(True)
    if settings.compile:
        for module in modules.values():
            for block in blocks(module):
                block.compile()
    distribution.distribute(modules)
