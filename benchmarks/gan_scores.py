"""How near GANs come to the test split, beside the floor: how near the training split is to it.

    python benchmarks/gan_scores.py RUN… --features WEIGHTS [--data fashion_mnist] [--samples 10000] [--seed 0]

RUN is what `zoo.load` takes, WEIGHTS a classifier, in whose feature space everything is measured. Each row compares
`--samples` pictures, drawn by the seed or made with it, with as many of the test split; none chose anything.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from zoo_gan import scores
from zoo_gan.features import FeatureSpace

import zoo
from zoo.modalities.data_source import DataSource
from zoo.seeds import generator

HEAD = ("", "frechet", "kid", "precision", "recall", "modes", "least %", "most %", "as asked %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--features", required=True)
    parser.add_argument("--data", default="fashion_mnist")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    space = FeatureSpace(asked.features, torch.device("cpu"))
    dataset = DataSource(asked.data).open()
    real = space(drawn(dataset.splits["test"].images, asked.samples, asked.seed))[0]
    print(f"{asked.samples:,} pictures each, against the test split of {asked.data}, in the space of {space.name}")
    print("  ".join(f"{cell:>12}" for cell in HEAD))
    for name, pictures, labels in compared(asked.runs, dataset.splits["train"].images, asked.samples, asked.seed):
        features, seen = space(pictures)
        shares = scores.class_shares(seen, space.num_classes)
        precision, recall = scores.precision_recall(real, features)
        row = [
            f"{scores.frechet_distance(real, features):.4f}",
            f"{scores.kernel_distance(real, features):.5f}",
            f"{precision:.1f}",
            f"{recall:.1f}",
            f"{scores.covered_modes(shares)} of {space.num_classes}",
            f"{100 * float(shares.min()):.1f}",
            f"{100 * float(shares.max()):.1f}",
            "-" if labels is None else f"{100 * float((seen == labels).double().mean()):.1f}",
        ]
        print("  ".join(f"{cell:>12}" for cell in [Path(name).name, *row]), flush=True)


def compared(
    runs: list[str], training: np.ndarray, count: int, seed: int
) -> Iterator[tuple[str, Tensor, Tensor | None]]:
    """Yield what is compared: a name, pictures, and the classes that were asked for."""
    yield "train", drawn(training, count, seed), None
    for run in runs:
        model = zoo.load(run)
        if not isinstance(model, zoo.Adversarial):
            raise SystemExit(f"{run} is no GAN")
        random = generator(seed, "sample")
        labels = torch.arange(count) % model.classes if model.classes else None
        with torch.inference_mode():
            parts = [
                model.sample(len(part), None if labels is None else labels[part], generator=random)
                for part in torch.arange(count).split(250)
            ]
        yield run, torch.cat(parts), labels


def drawn(images: np.ndarray, count: int, seed: int) -> Tensor:
    """Return so many of the pictures, or all, drawn by the seed."""
    order = torch.randperm(len(images), generator=generator(seed, "drawn"))[:count].sort().values
    return torch.from_numpy(np.array(images[order.numpy()])).float().div_(255)


if __name__ == "__main__":
    main()
