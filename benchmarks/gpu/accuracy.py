"""Accuracy and time of one training of ResNet-18 on the pictures of CIFAR-10 that are here: Zoo and a loop by hand.

Both train from scratch with the same batches a step, rate, schedule and augmentation, in bf16; the loop by hand keeps
the pictures on the GPU, and crops and flips whole batches.
"""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from part import DEVICE, Part, seconds
from torch import Tensor

import zoo
from zoo.data.images.cifar10 import cifar10

_RATE, _BATCH = 0.1, 128
Model = tuple[str, dict[str, Any]]


def main() -> None:
    part = Part(__doc__)
    data = cifar10(None)
    images = {
        name: torch.from_numpy(split.images[: 256 if part.tiny else None].copy()) for name, split in data.splits.items()
    }
    labels = {
        name: torch.from_numpy(split.labels[: 256 if part.tiny else None].copy()) for name, split in data.splits.items()
    }
    steps = 2 if part.tiny else 30 * len(images["train"]) // _BATCH
    # a CPU is soon through the first, whose training ends with scores and pictures of all test data
    model = ("resnet20", {}) if part.tiny else ("resnet18", {"cifar_stem": True})
    found: dict[str, Any] = {}
    spent = seconds(lambda: found.update(accuracy=by_hand(model, images, labels, steps)))
    part.note("by hand", {"steps": steps, "seconds": round(spent, 1), **found})
    start = time.perf_counter()
    part.note("zoo", {"steps": steps, **by_zoo(model, steps), "seconds": round(time.perf_counter() - start, 1)})


def by_zoo(model: Model, steps: int) -> dict[str, Any]:
    settings = {
        "steps": steps,
        "batch_size": _BATCH,
        "optimizer": "sgd",
        "learning_rate": _RATE,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "label_smoothing": 0,
        "augmentation": "crop_flip",
        "precision": "bf16",
    }
    with tempfile.TemporaryDirectory() as folder:
        made = zoo.finetune(
            model[0],
            task="image-classification",
            data="cifar10",
            out=Path(folder) / "run",
            method="scratch",
            arguments=model[1],
            settings=settings,
            device=DEVICE.type,
        )
        return {"accuracy": round(made.scores["accuracy"], 2)}


def by_hand(model: Model, images: dict[str, Tensor], labels: dict[str, Tensor], steps: int) -> float:
    pixels = {name: (part.to(DEVICE).float() / 255 - 0.45) / 0.25 for name, part in images.items()}
    classes = {name: part.to(DEVICE) for name, part in labels.items()}
    torch.manual_seed(0)
    network = zoo.create(model[0], **model[1], num_classes=10).to(DEVICE, memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), _RATE, 0.9, weight_decay=5e-4, nesterov=True, fused=True)
    warmup = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [
            torch.optim.lr_scheduler.LinearLR(optimizer, 1e-2, total_iters=warmup),
            torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(1, steps - warmup)),
        ],
        [warmup],
    )
    padded = F.pad(pixels["train"], (4, 4, 4, 4), mode="reflect")
    done = 0
    while done < steps:
        order = torch.randperm(len(padded), device=DEVICE)
        for some in order.split(_BATCH)[: steps - done]:
            top, left = (int(torch.randint(0, 9, ())) for _ in range(2))
            batch = padded[some][..., top : top + 32, left : left + 32]
            batch = torch.where((torch.rand(len(some), device=DEVICE) < 0.5)[:, None, None, None], batch.flip(3), batch)
            with torch.autocast(DEVICE.type, torch.bfloat16):
                loss = F.cross_entropy(network(batch.to(memory_format=torch.channels_last)), classes["train"][some])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
    network.eval()
    with torch.inference_mode(), torch.autocast(DEVICE.type, torch.bfloat16):
        right = [
            (network(some).argmax(1) == wanted).float()
            for some, wanted in zip(pixels["test"].split(500), classes["test"].split(500), strict=True)
        ]
    return round(100 * float(torch.cat(right).mean()), 2)


if __name__ == "__main__":
    if not os.environ.get("ZOO_DATA"):
        raise SystemExit("ZOO_DATA names no folder with cifar10")
    main()
