"""Steps per second of dense_autoencoder, batch 256: zoo's loop against a loop written by hand, in turn, same tensors.

python benchmarks/training.py [--rounds 7] [--steps 400]
"""

import argparse
import statistics
import time
from typing import Any

import torch
import torch.nn.functional as F

import zoo
from zoo.data.batches import TensorBatches
from zoo.data.mnist import fashion_mnist_sample
from zoo.engine.stepper import Stepper
from zoo.recipes import recipe_settings
from zoo.registry import default_registry
from zoo.running import make_recipe

BATCH = 256


def by_hand(images: torch.Tensor, steps: int) -> float:
    model: Any = zoo.create("dense_autoencoder")
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    start = time.perf_counter()
    done = 0
    while done < steps:
        order = torch.randperm(len(images))
        for place in range(0, len(images) - BATCH + 1, BATCH):
            batch = images[order[place : place + BATCH]]
            loss = F.binary_cross_entropy_with_logits(model.reconstruct_logits(batch), batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            done += 1
            if done == steps:
                break
    return steps / (time.perf_counter() - start)


def by_zoo(batches: TensorBatches, steps: int) -> float:
    spec, settings = recipe_settings("reconstruction", "dense_autoencoder", {"batch_size": BATCH})
    recipe = make_recipe(default_registry().recipe(spec.name), settings, zoo.create("dense_autoencoder"), ())
    stepper = Stepper(recipe, settings, steps)
    start = time.perf_counter()
    done, epoch = 0, 0
    while done < steps:
        for batch in batches.epoch(epoch):
            stepper.step(batch, done)
            done += 1
            if done % 20 == 0:
                stepper.figures(done)
            if done == steps:
                break
        epoch += 1
    return steps / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=400)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    train = fashion_mnist_sample(None).splits["train"]
    cpu = torch.device("cpu")
    batches = TensorBatches(train.images, None, batch_size=BATCH, seed=0, shuffle=True, drop_last=True, device=cpu)
    images = torch.from_numpy(train.images.copy()).float().div_(255)
    by_hand(images, 50), by_zoo(batches, 50)
    pairs = [(by_zoo(batches, arguments.steps), by_hand(images, arguments.steps)) for _ in range(arguments.rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / other for mine, other in pairs)
    print(f"dense_autoencoder, batch {BATCH}, {arguments.steps} steps, 2 threads, torch {torch.__version__}")
    print(f"zoo {ours:.0f} steps/s   by hand (fused Adam) {theirs:.0f} steps/s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
