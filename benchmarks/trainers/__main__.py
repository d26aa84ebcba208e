"""Steps per second of the same training by a loop written by hand, by zoo, and by other trainers, in turn.

    python benchmarks/trainers [--only zoo,timm] [--jobs dense,resnet18] [--turns N] [--threads N]

A trainer that is not installed is left out; `benchmarks/peers.sh` makes an environment that has them all. All begin
with the same fresh model and take turns of a few steps; a figure is the median over the turns, each compared with the
turn beside it: this machine drifts. The last columns count CPU time, of which other programs on the machine take
nothing; by default there is one thread, since two that wait for each other burn it. `loss` is that of the trained model
on the first training pictures: it shows that all did the same work.
"""

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import torch
from jobs import JOBS, Job
from turns import Trainer, Turn, take_turns

HEAD = ("trainer", "version", "steps/s", "× by hand", "by CPU time", "µs a step more", "zoo is × as fast", "loss")
BY_HAND = "by hand"
TRAINERS = {
    BY_HAND: ("torch", "by_hand:train"),
    "zoo": ("zoo-hub", "by_zoo:train"),
    "transformers": ("transformers", "by_transformers:train"),
    "transformers-defaults": ("transformers", "by_transformers:train_with_defaults"),
    "lightning": ("lightning", "by_lightning:train"),
    "lightning-barebones": ("lightning", "by_lightning:train_barebones"),
    "timm": ("timm", "by_timm:train"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"of {', '.join(TRAINERS)}; the loop by hand always runs")
    parser.add_argument("--jobs", default=",".join(JOBS), help=f"of {', '.join(JOBS)}")
    parser.add_argument("--turns", type=int, help="default: the job's own")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, help="where Fashion-MNIST lies; else the sample that ships with zoo")
    arguments = parser.parse_args()
    only = arguments.only.split(",") if arguments.only else list(TRAINERS)
    trainers = load_trainers([name for name in TRAINERS if name in only or name == BY_HAND])
    for name in arguments.jobs.split(","):
        job = JOBS[name](arguments.data_dir)
        job = replace(job, turns=arguments.turns or job.turns)
        asked = {name: trainer for name, trainer in trainers.items() if job.accumulate == 1 or name in (BY_HAND, "zoo")}
        clocks, models = take_turns(job, asked, arguments.threads)
        # the first turn sets up
        results = {name: Result(clocks[name].turns[1:], loss_of(models[name], job)) for name in asked}
        report(job, results, arguments.threads)


def load_trainers(names: list[str]) -> dict[str, Trainer]:
    """Import those whose distribution is installed; say which are not."""
    found = {}
    for name in names:
        distribution, target = TRAINERS[name]
        try:
            version(distribution)
        except PackageNotFoundError:
            print(f"{name} is left out: {distribution} is not installed (benchmarks/peers.sh)", file=sys.stderr)
            continue
        module, attribute = target.split(":")
        found[name] = getattr(import_module(module), attribute)
    return found


@dataclass(frozen=True)
class Result:
    """The turns of one trainer, and the loss of the model that it trained."""

    turns: list[Turn]
    loss: float


@torch.no_grad()
def loss_of(model: Any, job: Job) -> float:
    """Return the loss on the first pictures, with the batch statistics of training."""
    return float(job.loss(model.train(), {name: tensor[:256] for name, tensor in job.tensors.items()}))


def report(job: Job, results: dict[str, Result], threads: int) -> None:
    """Print a table of medians over the turns."""
    hand = results[BY_HAND].turns
    zoo = results["zoo"].turns if "zoo" in results else None
    print(f"\n{job.title}; {len(hand)} turns of {job.steps} steps after {job.warmup} of warm-up")
    print(f"threads {threads}, torch {torch.__version__}, python {platform.python_version()}")
    print_row(
        ("trainer", "version", "steps/s", "× by hand", "by CPU time", "µs a step more", "zoo is × as fast", "loss")
    )
    for name, result in results.items():
        turns = result.turns
        cells = (
            f"{1 / median(turn.seconds for turn in turns):.4g}",
            f"{median(h.seconds / t.seconds for t, h in zip(turns, hand, strict=True)):.3f}",
            f"{median(h.cpu_seconds / t.cpu_seconds for t, h in zip(turns, hand, strict=True)):.3f}",
            f"{median(1e6 * (t.cpu_seconds - h.cpu_seconds) for t, h in zip(turns, hand, strict=True)):+.0f}",
            f"{median(t.cpu_seconds / z.cpu_seconds for t, z in zip(turns, zoo, strict=True)):.3f}" if zoo else "-",
            f"{result.loss:.4f}",
        )
        print_row((name, version(TRAINERS[name][0]), *cells))


def print_row(cells: Sequence[str]) -> None:
    print("  ".join([f"{cells[0]:24}", *(f"{cell:>16}" for cell in cells[1:])]), flush=True)


if __name__ == "__main__":
    main()
