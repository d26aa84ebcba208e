"""How many of the first hundred suspects are labels that were planted: 3 % of 10,000 images of Fashion-MNIST.

    python plugins/explain/benchmarks/planted_labels.py [--samples 10000] [--epochs 3] [--seed 0]

A CIFAR ResNet is trained on the samples with the wrong labels among them; the suspects are found on its frozen features
as `zoo examine` finds them. Prints one line of JSON.
"""

import argparse
import json

import numpy as np
import torch
import torch.nn.functional as F
from zoo_explain.examining.label_errors import label_errors

import zoo

_SHARE, _FIRST = 0.03, 100


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    images, truth = fashion(options.samples)
    labels = truth.copy()
    wrong = random.permutation(len(labels))[: round(_SHARE * len(labels))]
    labels[wrong] = (labels[wrong] + random.integers(1, 10, len(wrong))) % 10
    model = zoo.create("resnet20", depth=1, widths=[16, 32, 64], channels=1, num_classes=10)
    train(model, images, torch.from_numpy(labels), options.epochs)
    with torch.no_grad():
        parts = [model.forward_head(model.forward_features(part), pre_logits=True) for part in images.split(500)]
    features = torch.cat(parts).numpy()
    found, _ = label_errors(features, labels, options.seed)
    first = np.isin(found[:_FIRST], wrong)
    told = np.isin(found, wrong).sum()
    print(
        json.dumps(
            {
                "samples": len(labels),
                "planted": len(wrong),
                "found": len(found),
                "precision_of_first_100": float(first.mean()),
                "recall": float(told / len(wrong)),
                "seed": options.seed,
            }
        )
    )


def fashion(count: int) -> tuple[torch.Tensor, np.ndarray]:
    """Return the first images as floats, and their labels."""
    import gzip
    import os
    from pathlib import Path

    folder = Path(os.environ["ZOO_DATA"]) / "fashion-mnist"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(16 + 784 * count), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(8 + count), np.uint8, offset=8).astype(np.int64)
    return torch.from_numpy(pixels.copy()).float() / 255, labels


def train(model: torch.nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.05)
    steps = epochs * (len(images) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    model.train()
    for _ in range(epochs):
        for some in torch.randperm(len(images)).split(128)[: len(images) // 128]:
            loss = F.cross_entropy(model(images[some]), labels[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()


if __name__ == "__main__":
    main()
