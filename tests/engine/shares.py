"""Processes that each see data of their own, which batch norm gathers; run by torchrun in tests.

python shares.py RUN SAVE-STEPS: a run of one epoch, 5 steps, through the loop.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from players import data
from torch import nn

from zoo.data.draws import Draws
from zoo.engine.distribution import join
from zoo.engine.loop import Evaluation, train
from zoo.engine.options import RunOptions
from zoo.engine.prepare import prepare
from zoo.engine.progress import Progress
from zoo.engine.recipe import Batch, Loss
from zoo.engine.run import Run
from zoo.engine.stepper import Stepper
from zoo.specs.settings import TrainingSettings


class Shares:
    """A batch norm of inputs that are 0.01 on the first process, and 4.01 on the second."""

    def __init__(self, rank: int) -> None:
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 3))
        self.mean = 0.01 + 4 * rank

    def modules(self) -> dict[str, nn.Module]:
        return {"network": self.network}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"network": torch.optim.SGD(self.network.parameters(), 0.1)}

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        images = batch["images"] - batch["images"].mean(0) + self.mean
        yield Loss("network", nn.functional.cross_entropy(self.network(images), batch["index"] % 3))

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        return {"mean": float(self.network.get_buffer("1.running_mean").mean())}


if __name__ == "__main__":
    with join("cpu", "ddp") as processes:
        settings = TrainingSettings(batch_size=12, steps=5, ema=0.5, save_steps=int(sys.argv[2]))
        recipe: Any = Shares(processes.rank)
        prepare(recipe, settings, processes)
        stepper = Stepper(recipe, settings, 5, processes)
        out = Path(sys.argv[1])
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
