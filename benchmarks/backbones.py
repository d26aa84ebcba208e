"""Forward and training step of our convolutional backbones against timm's, with the same weights, in turn in one run.

make peers' environment first (benchmarks/peers.sh), then
PYTHONPATH=. /tmp/zoo-peers/bin/python benchmarks/backbones.py [--rounds 15] [--models resnet50 …]
"""

import argparse
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any

import timm
import torch
import torch.nn.functional as F
from torch import Tensor

import zoo

MODELS = {"resnet50": 8, "convnext_tiny": 8, "mobilenetv3_large_100": 32}
"""Each with its batch."""


def forward(model: Any) -> Callable[[Tensor], None]:
    def run(images: Tensor) -> None:
        with torch.inference_mode():
            model(images)

    model.eval()
    return run


def training_step(model: Any) -> Callable[[Tensor], None]:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True)
    labels = torch.arange(64, device=next(model.parameters()).device)

    def run(images: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(images), labels[: len(images)]).backward()
        optimizer.step()

    model.train()
    return run


def seconds(run: Callable[[Tensor], None], images: Tensor) -> tuple[float, float]:
    """Return how long it took by the clock, and by processor time, which other jobs on the machine disturb less."""
    start, spent = time.perf_counter(), time.process_time()
    run(images)
    if images.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start, time.process_time() - spent


def compare(
    name: str, kind: Callable[[Any], Callable[[Tensor], None]], batch: int, size: int, rounds: int, device: str
) -> None:
    ours, theirs = zoo.create(name), timm.create_model(name)
    ours.load_state_dict(theirs.state_dict())
    runs = [kind(model.to(device, memory_format=torch.channels_last)) for model in (ours, theirs)]
    images = torch.randn(batch, 3, size, size, device=device).to(memory_format=torch.channels_last)
    for run in runs * 2:
        seconds(run, images)
    mine, other = [], []
    for place in range(rounds):
        order = ((runs[0], mine), (runs[1], other))
        for run, times in order if place % 2 else reversed(order):
            times.append(seconds(run, images))
    clock, processor = (
        statistics.median(b[column] / a[column] for a, b in zip(mine, other, strict=True)) for column in (0, 1)
    )
    rates = [batch / statistics.median(wall for wall, _ in times) for times in (mine, other)]
    print(
        f"{name:22} {kind.__name__:14} zoo {rates[0]:8.1f}   timm {rates[1]:8.1f} images/s   "
        f"zoo/timm {clock:.2f} by the clock, {processor:.2f} by processor time"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--batch", type=int, help="pictures a step; default: " + str(MODELS))
    parser.add_argument("--size", type=int, default=224, help="of the pictures, in pixels")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    chosen = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(chosen.threads)
    what = torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()}, {chosen.threads} threads"
    versions = f"torch {torch.__version__}, timm {timm.__version__}"
    print(f"{what}, {versions}, channels last, {chosen.size} pixels, median of {chosen.rounds} rounds in turn")
    for name in chosen.models:
        for kind in (forward, training_step):
            compare(name, kind, chosen.batch or MODELS[name], chosen.size, chosen.rounds, device)


if __name__ == "__main__":
    main()
