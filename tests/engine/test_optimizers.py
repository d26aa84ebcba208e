"""Every optimizer steps wherever parameters lie: whole, or in parts under FSDP2."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch._C._distributed_c10d import HashStore

from zoo.engine.distribution import Distribution
from zoo.engine.optimizers import make_optimizer, parameter_groups
from zoo.specs.settings import TrainingSettings


@pytest.fixture
def process_group() -> Iterator[None]:
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def stepped(sharding: Any, name: Any, momentum: float) -> list[torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    distribution = Distribution(torch.device("cpu"), sharding=sharding)
    distribution.distribute({"model": model})
    settings = TrainingSettings(optimizer=name, momentum=momentum, learning_rate=0.1, weight_decay=0.01)
    optimizer = make_optimizer(name, parameter_groups(model, settings), settings)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.ones(3, 4)).square().sum().backward()
        optimizer.step()
    return [distribution.full_tensor(parameter) for parameter in model.parameters()]


@pytest.mark.usefixtures("process_group")
@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
@pytest.mark.parametrize(("name", "momentum"), [("adam", 0.9), ("adamw", 0.9), ("sgd", 0.9), ("sgd", 0.0)])
def test_an_optimizer_steps_alike_on_parameters_in_parts(sharding: Any, name: str, momentum: float) -> None:
    for found, expected in zip(stepped(sharding, name, momentum), stepped(None, name, momentum), strict=True):
        assert torch.allclose(found, expected, atol=1e-6)
