"""A recipe of two players with an optimizer each, entered by other methods than forward too; run by torchrun in tests.

python players.py OUT SETTINGS-AS-JSON [SHARDING]: take 50 steps on whatever processes there are, and write the weights.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zoo.data.draws import Draws
from zoo.data.images.batches import TensorBatches
from zoo.engine.average import named_state
from zoo.engine.distribution import Distribution, join
from zoo.engine.prepare import prepare
from zoo.engine.recipe import Batch, Loss
from zoo.engine.stepper import Stepper
from zoo.specs.settings import TrainingSettings

STEPS = 50


class Generator(nn.Module):
    """Two linear blocks, and a decoder that no loss ever reaches."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            [nn.Sequential(nn.Linear(4, 16), nn.Tanh()), nn.Sequential(nn.Linear(16, 16), nn.Tanh())]
        )
        self.out = nn.Linear(16, 4)
        self.unused = nn.Linear(16, 3)

    def sample(self, noise: Tensor) -> Tensor:
        for block in self.blocks:
            noise = block(noise)
        return self.out(noise)

    def forward(self, noise: Tensor) -> Tensor:
        return self.sample(noise)


class Adversaries:
    """A generator and a discriminator that is asked twice before one backward."""

    def __init__(self, dropout: float = 0.0) -> None:
        torch.manual_seed(0)
        self.generator = Generator()
        self.discriminator = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Dropout(dropout), nn.Linear(16, 1))

    def modules(self) -> Mapping[str, nn.Module]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {
            "discriminator": torch.optim.Adam(self.discriminator.parameters(), 0.01),
            "generator": torch.optim.SGD(self.generator.parameters(), 0.05, momentum=0.9),
        }

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        real, noise = batch["images"].flatten(1), draws.normal("noise", 4)
        with torch.no_grad():
            fake = self.generator.sample(noise)
        softplus = nn.functional.softplus
        loss = softplus(-self.discriminator(real)).mean() + softplus(self.discriminator(fake)).mean()
        yield Loss("discriminator", loss, metrics={"real": real.mean()})
        yield Loss("generator", softplus(-self.discriminator(self.generator(noise))).mean())

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        return {"score": float(sum(batch["images"].sum() for batch in batches))}

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        return []

    def export(self) -> nn.Module:
        return self.generator


def data(distribution: Distribution, settings: TrainingSettings) -> TensorBatches:
    images = np.random.default_rng(0).integers(0, 256, (60, 1, 2, 2), np.uint8)
    return TensorBatches(
        images,
        {},
        batch_size=settings.batch_size,
        seed=settings.seed,
        shuffle=True,
        drop_last=True,
        device=distribution.device,
        rank=distribution.rank,
        world_size=distribution.world_size,
        micro_batches=settings.accumulate,
    )


def made(distribution: Distribution, **values: Any) -> Stepper:
    settings = TrainingSettings(batch_size=12, **values)
    recipe = Adversaries()
    prepare(recipe, settings, distribution)
    return Stepper(recipe, settings, STEPS, distribution)


def run(stepper: Stepper, first: int = 0, last: int = STEPS) -> None:
    batches = data(stepper.distribution, stepper.settings)
    for step in range(first, last):
        epoch, position = divmod(step, len(batches))
        stepper.step(next(batches.epoch(epoch, position)), step, epoch)


def weights(stepper: Stepper) -> dict[str, Tensor]:
    found = dict(named_state(stepper.modules))
    if stepper.average is not None:
        found |= {f"average/{name}": tensor for name, tensor in stepper.average.tensors.items()}
    return {name: stepper.distribution.full_tensor(tensor) for name, tensor in found.items()}


if __name__ == "__main__":
    with join("cpu", sys.argv[3]) as processes:  # type: ignore[arg-type]
        trained = made(processes, **json.loads(sys.argv[2]))
        run(trained)
        whole = weights(trained)
        figures = trained.metrics(STEPS)
        if processes.main:
            save_file(whole, Path(sys.argv[1]))
            print(json.dumps(figures))
