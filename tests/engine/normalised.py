"""A network with batch norm, trained on whatever processes there are; run by torchrun in tests.

python normalised.py OUT SETTINGS-AS-JSON SHARDING: take a few steps, and write the weights.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from players import data
from safetensors.torch import save_file
from torch import nn

from zoo.data.draws import Draws
from zoo.engine.distribution import Distribution, join
from zoo.engine.prepare import prepare
from zoo.engine.recipe import Batch, Loss
from zoo.engine.stepper import Stepper
from zoo.specs.settings import TrainingSettings


class Normalised:
    def __init__(self) -> None:
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(6)
        self.network = nn.Sequential(nn.Conv2d(1, 6, 2), norm, nn.ReLU(), nn.Flatten(), nn.Linear(6, 3))

    def modules(self) -> dict[str, nn.Module]:
        return {"network": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"network": torch.optim.SGD(self.network.parameters(), 0.1)}

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        yield Loss("network", nn.functional.cross_entropy(self.network(batch["images"]), batch["index"] % 3))


def trained(distribution: Distribution, **values: Any) -> dict[str, torch.Tensor]:
    settings = TrainingSettings(batch_size=12, channels_last=False, **values)
    recipe: Any = Normalised()
    prepare(recipe, settings, distribution)
    stepper = Stepper(recipe, settings, 8, distribution)
    batches = data(distribution, settings)
    for step in range(4):
        stepper.step(next(batches.epoch(0, step)), step)
    return {name: distribution.full_tensor(tensor) for name, tensor in recipe.network.state_dict().items()}


if __name__ == "__main__":
    with join("cpu", sys.argv[3]) as processes:
        found = trained(processes, **json.loads(sys.argv[2]))
        if processes.main:
            save_file(found, Path(sys.argv[1]))
