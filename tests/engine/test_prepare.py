"""Blocks are what repeats; modules are compiled, recomputed and laid out as the settings ask."""

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from players import Adversaries, Generator
from torch import nn
from torch.utils.checkpoint import checkpoint

from zoo.engine.blocks import blocks
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import prepare
from zoo.engine.routing import Entry, route_calls
from zoo.errors import UsageError
from zoo.specs.settings import TrainingSettings

ALONE = Distribution(torch.device("cpu"))


def test_blocks_are_the_elements_of_module_lists() -> None:
    generator = Generator()
    assert blocks(generator) == list(generator.blocks)


def test_blocks_without_lists_are_the_children_with_parameters() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    assert blocks(network) == [network[0], network[2]]


class Deep(nn.Module):
    """Recompute the middle when asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.recomputing = False
        self.calls = 0

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.recomputing = enable

    def middle(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.conv(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return checkpoint(self.middle, x, use_reentrant=False) if self.recomputing else self.middle(x)  # type: ignore[no-any-return]


class OfDeep(Adversaries):
    def __init__(self) -> None:
        self.network = Deep()

    def modules(self) -> Mapping[str, nn.Module]:
        return {"network": self.network}


def test_activations_are_recomputed_on_the_way_back() -> None:
    recipe = OfDeep()
    prepare(recipe, TrainingSettings(activation_checkpointing=True), ALONE)
    recipe.network(torch.rand(1, 3, 5, 5)).sum().backward()
    assert recipe.network.calls == 2


def test_a_model_that_cannot_recompute_is_refused() -> None:
    with pytest.raises(UsageError, match="activation_checkpointing"):
        prepare(Adversaries(), TrainingSettings(activation_checkpointing=True), ALONE)


@pytest.mark.parametrize("wanted", [True, False])
def test_convolutions_are_laid_out_as_asked(wanted: bool) -> None:
    recipe = OfDeep()
    prepare(recipe, TrainingSettings(channels_last=wanted), ALONE)
    assert recipe.network.conv.weight.is_contiguous(memory_format=torch.channels_last) is wanted


def test_layouts_whose_gradients_overrun_memory_are_not_taken() -> None:
    """In a process of its own, which torch 2.13 would crash: narrow strided 1x1 convolutions, channels side by side."""
    code = """
import torch
from torch import nn
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import place
from zoo.specs.settings import TrainingSettings

narrow, wide = (nn.Sequential(nn.Conv2d(count, 16, 1, stride=2, bias=False)) for count in (8, 16))
for model in (narrow, wide):
    place(model, TrainingSettings(), Distribution(torch.device("cpu")))
assert [model[0].weight.stride()[2] for model in (narrow, wide)] == [1, 16]
for _ in range(50):
    narrow(torch.rand(8, 8, 60, 80)).square().mean().backward()
assert narrow(torch.rand(8, 8, 60, 80)).is_contiguous()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_alone_nothing_is_wrapped() -> None:
    recipe = OfDeep()
    prepare(recipe, TrainingSettings(), ALONE)
    assert "forward" not in vars(recipe.network)


class Counting(Entry):
    """A wrapper that counts how often it is entered."""

    entered = 0

    def forward(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        self.entered += 1
        return super().forward(method, *args, **kwargs)


def test_every_computing_method_goes_through_the_wrapper_once() -> None:
    generator = Generator()
    wrapper = Counting(generator, own_outputs=False)
    route_calls(generator, wrapper)
    generator(torch.rand(2, 4))  # forward calls sample, from within
    assert wrapper.entered == 1
    generator.sample(torch.rand(2, 4))
    assert wrapper.entered == 2
    assert {"sample", "forward"} <= set(vars(generator))
    assert "state_dict" not in vars(generator)
