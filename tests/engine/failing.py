"""Sharded processes whose scoring fails in different ways; run by torchrun in tests.

python failing.py FOLDER MODE…: for each mode a run of two rounds, of which the first fails to be scored.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from players import data
from torch import Tensor, nn

from zoo.data.draws import Draws
from zoo.engine import distribution
from zoo.engine.distribution import Distribution, join
from zoo.engine.loop import Evaluation, train
from zoo.engine.modes import evaluating
from zoo.engine.options import RunOptions
from zoo.engine.prepare import prepare
from zoo.engine.progress import Progress
from zoo.engine.recipe import Batch, Loss
from zoo.engine.run import Run
from zoo.engine.stepper import Stepper
from zoo.specs.settings import TrainingSettings


class Block(nn.Module):
    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.linear, self.fails = nn.Linear(width, out), False

    def forward(self, x: Tensor) -> Tensor:
        if self.fails and not self.training:
            raise ValueError("no score")
        return torch.tanh(self.linear(x))


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([Block(4, 8), Block(8, 3)])

    def forward(self, images: Tensor) -> Tensor:
        x = images.flatten(1)
        for block in self.blocks:
            x = block(x)
        return x


class Failing:
    def __init__(self, mode: str, rank: int) -> None:
        torch.manual_seed(0)
        self.mode, self.rank, self.calls = mode, rank, 0
        self.network = Network()

    def modules(self) -> dict[str, nn.Module]:
        return {"network": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"network": torch.optim.SGD(self.network.parameters(), 0.1)}

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        yield Loss("network", nn.functional.cross_entropy(self.network(batch["images"]), batch["index"] % 3))

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        self.calls += 1
        last: Any = self.network.blocks[1]
        last.fails = self.calls == 1 and self.mode == "inside"
        if self.calls == 1 and (self.mode == "all" or (self.mode == "one before" and self.rank == 1)):
            raise ValueError("no score")
        with evaluating(self.network):
            mean = float(torch.stack([self.network(batch["images"]).mean() for batch in batches]).mean())
        self.network.train()
        if self.calls == 1 and self.mode == "one after" and self.rank == 1:
            raise ValueError("no score")
        return {"mean": mean}


def trained(mode: str, out: Path, processes: Distribution) -> None:
    settings = TrainingSettings(batch_size=12, steps=10, evaluations=2, channels_last=False)
    recipe: Any = Failing(mode, processes.rank)
    prepare(recipe, settings, processes)
    stepper = Stepper(recipe, settings, 10, processes)
    run = Run.create(out, resolved={"settings": {}}, force=False, main=processes.main)
    batches = data(processes, settings)
    train(
        stepper,
        batches,
        Evaluation(batches, "test", "mean", True),
        run=run,
        options=RunOptions(out=out, keep=9),
        progress=Progress(enabled=False, title=""),
    )


if __name__ == "__main__":
    distribution._STRAGGLER_SECONDS = 3.0
    with join("cpu", "fsdp") as joined:
        for name in sys.argv[2:]:
            trained(name, Path(sys.argv[1]) / name, joined)
