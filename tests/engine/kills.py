"""Kill training again and again, go on from what is on disk each time, and compare with a run that nobody disturbed.

python kills.py FOLDER RECIPE KILLS SEED [SETTINGS-AS-JSON] [FORGET]

Children are forked from a process that has imported everything, so that a kill costs milliseconds. Prints JSON. RECIPE
is adversaries (two optimizers) or classifier (one, with batch norm, dropout and augmentation). FORGET leaves a random
state out of what is restored: a control that must not come out equal.
"""

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from players import Adversaries, weights
from safetensors.torch import save
from torch import nn

import zoo.engine.checkpoint as checkpoint
import zoo.engine.snapshot as snapshot
from zoo.data.augmentation.policies import augment
from zoo.data.draws import Draws
from zoo.data.images.batches import TensorBatches
from zoo.engine.checkpoint import newest_checkpoint
from zoo.engine.distribution import Distribution
from zoo.engine.loop import Evaluation, train
from zoo.engine.options import RunOptions
from zoo.engine.prepare import prepare
from zoo.engine.progress import Progress
from zoo.engine.recipe import Batch, Loss
from zoo.engine.run import Run
from zoo.engine.stepper import Stepper
from zoo.specs.settings import TrainingSettings

RESOLVED: dict[str, Any] = {"kind": "pretrain", "model": "victim", "data": {"fingerprint": "f"}}
CPU = torch.device("cpu")


class Classifier:
    """One network with every kind of state."""

    def __init__(self, dropout: float = 0.0) -> None:
        torch.manual_seed(0)
        layers = [
            nn.Conv2d(1, 8, 3),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Flatten(),
            nn.Linear(288, 4),
        ]
        self.network = nn.Sequential(*layers)

    def modules(self) -> Mapping[str, nn.Module]:
        return {"network": self.network}

    def optimizers(self) -> Mapping[str, torch.optim.Optimizer]:
        return {"network": torch.optim.AdamW(self.network.parameters(), 0.01, fused=True)}

    def step(self, batch: Batch, draws: Draws) -> Iterator[Loss]:
        images = augment(batch["images"], draws, "crop_flip")
        yield Loss("network", nn.functional.cross_entropy(self.network(images), batch["index"] % 4))

    def evaluate(self, batches: Iterable[Batch]) -> dict[str, float]:
        return {"score": float(self.network[-1].weight.detach().norm())}  # type: ignore[operator, union-attr]

    def pictures(self, batches: Iterable[Batch], folder: Path) -> list[Path]:
        return []

    def export(self) -> nn.Module:
        return self.network


RECIPES: dict[str, tuple[Callable[[float], Any], int]] = {
    "adversaries": (Adversaries, 2),
    "classifier": (Classifier, 8),
}


def go(folder: Path, name: str, values: Mapping[str, Any]) -> bytes:
    """Train to the end, from whatever is in the folder; return the weights' bytes."""
    kind, size = RECIPES[name]
    settings = TrainingSettings(batch_size=8, epochs=10, save_steps=3, **values)
    images = np.random.default_rng(0).integers(0, 256, (40, 1, size, size), np.uint8)
    common: Any = {"batch_size": 8, "seed": 0, "shuffle": True, "drop_last": True, "device": CPU}
    batches = TensorBatches(images, {}, **common, micro_batches=settings.accumulate)
    recipe = kind(0.3)
    distribution = Distribution(CPU)
    prepare(recipe, settings, distribution)
    resume = (folder / "run.json").is_file()
    run = Run.resume(folder, RESOLVED) if resume else Run.create(folder, resolved=RESOLVED)
    stepper = Stepper(recipe, settings, 50, distribution)
    progress = Progress(enabled=False, title="")
    evaluation = Evaluation(batches, "test", "score", False)
    options = RunOptions(out=folder, resume=resume, stall_seconds=0)
    train(stepper, batches, evaluation, run=run, options=options, progress=progress)
    return save(weights(stepper))


def at_moment(moment: str) -> None:
    """Let this process kill itself at a moment within the writing of its second checkpoint."""
    written = 0

    def counting(function: Callable[..., Any], count: int, *, after: bool = False) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal written
            written += 1
            if written == count and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = function(*arguments, **named)
            if written == count and after:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call

    import zoo.files

    match moment:
        case "before temp":
            checkpoint.new_folder = counting(checkpoint.new_folder, 2)
        case "during shard":
            checkpoint.save_file = counting(checkpoint.save_file, 6, after=True)
        case "before manifest":
            checkpoint._sha256 = counting(checkpoint._sha256, 12)
        case "before rename":
            zoo.files.os.replace = counting(os.replace, 3)
        case "after rename":
            zoo.files.os.replace = counting(os.replace, 3, after=True)
        case "during prune":
            checkpoint.shutil.rmtree = counting(checkpoint.shutil.rmtree, 1)


def killed(folder: Path, name: str, values: Mapping[str, Any], seconds: float, moment: str | None) -> bool:
    """Train in a child; kill it after so long, or let it kill itself. Tell whether it was killed before its end."""
    child = os.fork()
    if not child:
        if moment is not None:
            at_moment(moment)
        go(folder, name, values)
        os._exit(0)
    if moment is None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def acknowledged(folder: Path) -> int:
    """Return the last step whose checkpoint the run has acknowledged."""
    path = folder / "metrics.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    return max((json.loads(line)["step"] for line in lines if '"checkpoint"' in line and line.endswith("}")), default=0)


def main() -> None:
    torch.set_num_threads(1)
    folder, name, kills, seed = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    values = json.loads(sys.argv[5]) if len(sys.argv) > 5 else {}
    draw = random.Random(seed)
    go(folder / "warm", name, values)
    started = time.perf_counter()
    whole = go(folder / "whole", name, values)
    seconds = time.perf_counter() - started
    if len(sys.argv) > 6:  # torch's own random state is left as it is
        snapshot.restore_random = lambda *arguments: None
    moments = ["before temp", "during shard", "before manifest", "before rename", "after rename", "during prune"]
    lost = done = runs = 0
    equal, struck = [], []
    while done < kills:
        part = folder / f"part-{runs}"
        runs += 1
        while done < kills:
            moment = moments.pop() if moments else None
            before = done
            done += killed(part, name, values, draw.uniform(0, seconds / 3), moment)
            struck += [moment] if moment and done > before else []
            if (part / "checkpoints").is_dir() and (last := acknowledged(part)):
                newest = newest_checkpoint(part / "checkpoints")
                lost += newest is None or int(newest.name.rpartition("-")[2]) < last
            if done == before:
                break  # it came to its end
        if not (part / "run.json").is_file() and part.exists():
            part = folder / f"never-begun-{runs}"  # killed before there was a run to go on with
        equal.append(go(part, name, values) == whole)
    print(json.dumps({"kills": done, "runs": runs, "lost": lost, "equal": equal.count(True), "moments": struck}))


if __name__ == "__main__":
    main()
