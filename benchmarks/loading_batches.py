"""Gather, crop and flip whole batches on the CPU: zoo against torch's DataLoader over per-item transforms, in turn.

The peer has 2 persistent workers and transforms as people write them: by hand with Pillow, or those of torchvision
where `--peers` names a Python that has it. Zoo has one thread, which leaves the other core to the training step.
Pictures are real: Fashion-MNIST (28x28 grey) and CIFAR-10 (32x32 colour). On a machine that others use, the clock
favours whoever has more processes; by processor time, two workers that have a core each are twice as fast as it says.

    ZOO_DATA=../shared/data python benchmarks/loading_batches.py [--peers /tmp/zoo-peers/bin/python] [--rounds 3]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from zoo.data.augmentation.policies import augment
from zoo.data.draws import Draws
from zoo.data.images.batches import TensorBatches
from zoo.data.images.cifar10 import cifar10
from zoo.data.images.mnist import fashion_mnist
from zoo.data.order import BatchOptions, SampleOrder

BATCH, COUNT = 256, 10_000
ORDER: BatchOptions = {"batch_size": BATCH, "seed": 0, "shuffle": True, "drop_last": True}
PEER = Path(__file__).with_name("loading_by_item.py")


def by_zoo(batches: TensorBatches, seconds: float = 1.5) -> tuple[float, float]:
    """Return images a second over as many whole epochs as take that long, by the clock and by processor time."""
    wall, processor, epoch, count = time.perf_counter(), time.process_time(), 0, 0
    while time.perf_counter() - wall < seconds:
        for batch in batches.epoch(epoch):
            count += len(augment(batch["images"], Draws(0, epoch, batch["index"]), "crop_flip"))
        epoch += 1
    return count / (time.perf_counter() - wall), count / (time.process_time() - processor)


def floor(images: np.ndarray, seconds: float = 1.5) -> tuple[float, float]:
    """Return the same of what nobody can leave out: gather bytes, make them floats once, draw the numbers."""
    pixels, order = torch.from_numpy(np.array(images)), SampleOrder(len(images), **ORDER)
    wall, processor, epoch, count = time.perf_counter(), time.process_time(), 0, 0
    while time.perf_counter() - wall < seconds:
        indices = order.indices(epoch)
        for share in order.shares(0):
            draws = Draws(0, epoch, indices[share])
            draws.integers("crop", 0, 81)
            draws.uniform("flip", 1, 1, 1)
            count += len(pixels.index_select(0, indices[share]).float().div_(255))
        epoch += 1
    return count / (time.perf_counter() - wall), count / (time.process_time() - processor)


def by_item(python: str, kind: str, images: Path) -> tuple[float, float]:
    """Return the same of the peer, in a process of its own, in its second epoch."""
    command = [python, str(PEER), kind, str(images), str(BATCH)]
    wall, processor = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(wall), float(processor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", help="a Python that has torchvision")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    peers = {"by hand": sys.executable, **({"torchvision": arguments.peers} if arguments.peers else {})}
    print(f"batch {BATCH}, {COUNT:,} images, 1 thread against 2 workers, {arguments.rounds} rounds in turn, medians")
    for name, dataset in (("28x28x1", fashion_mnist(None)), ("32x32x3", cifar10(None))):
        images = dataset.splits["train"].images[:COUNT]
        batches = TensorBatches(images, {}, device=torch.device("cpu"), **ORDER)
        by_zoo(batches)
        least = [(floor(images), by_zoo(batches)) for _ in range(arguments.rounds)]
        times = statistics.median(lowest[1] / mine[1] for lowest, mine in least)
        print(f"{name} by processor time: {times:.2f} times what gathering bytes, one conversion and the draws take")
        with tempfile.TemporaryDirectory() as folder:
            stored = Path(folder) / "images.npy"
            np.save(stored, images[:, 0] if images.shape[1] == 1 else images.transpose(0, 2, 3, 1))
            for kind, python in peers.items():
                rounds = [(by_zoo(batches), by_item(python, kind, stored)) for _ in range(arguments.rounds)]
                for place, clock in enumerate(("clock", "processor time")):
                    sides = zip(*rounds, strict=True)
                    ours, theirs = (statistics.median(rates[place] for rates in side) for side in sides)
                    ratio = statistics.median(mine[place] / other[place] for mine, other in rounds)
                    print(f"{name} by {clock}: zoo {ours:,.0f} img/s   {kind} {theirs:,.0f} img/s   ratio {ratio:.0f}")


if __name__ == "__main__":
    main()
