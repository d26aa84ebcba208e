"""Steps per second of a DCGAN by zoo and by the same two-optimizer loop written by hand, in turn, in one process.

    python benchmarks/gan_loop.py [--turns 12] [--steps 4] [--batch-size 64] [--data-dir FOLDER]

Both take the plain minimax game on Fashion-MNIST, equal networks, Adam, latents and labels of ones and zeros; the
discriminator learns on made pictures that carry no gradients. A figure is the median over turns, each compared with the
turn beside it; CPU time is what other programs on the machine take nothing of.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F

import zoo
from zoo.data.images.mnist import fashion_mnist, fashion_mnist_sample
from zoo.engine.distribution import Distribution
from zoo.engine.prepare import place, prepare
from zoo.engine.stepper import Stepper
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.training.run import batches, make_recipe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=12)
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data-dir", type=Path, help="where Fashion-MNIST lies; else the sample that ships with zoo")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    steps = {"by hand": by_hand(asked.batch_size, asked.data_dir), "zoo": by_zoo(asked.batch_size, asked.data_dir)}
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(asked.turns + 1):
        for name in list(steps)[:: 1 if turn % 2 else -1]:
            start = time.process_time()
            for _ in range(asked.steps):
                steps[name]()
            taken[name].append((time.process_time() - start) / asked.steps)
    hand, mine = (taken[name][1:] for name in ("by hand", "zoo"))  # the first turn sets up
    ratio = statistics.median(h / z for h, z in zip(hand, mine, strict=True))
    print(f"dcgan of 28 pixels, batches of {asked.batch_size}, {asked.threads} thread, torch {torch.__version__}")
    print(f"{asked.turns} turns of {asked.steps} steps, CPU time, medians")
    print(f"by hand {1 / statistics.median(hand):.3f} steps/s, zoo {1 / statistics.median(mine):.3f} steps/s")
    print(f"zoo is {ratio:.3f} times as fast as the loop by hand")


def by_zoo(batch_size: int, folder: Path | None) -> Callable[[], None]:
    """Return a function that takes a step as a run does."""
    dataset = fashion_mnist(folder) if folder else fashion_mnist_sample(None)
    offer = default_registry().recipe("minimax")
    settings = settings_from(offer, {"batch_size": batch_size, "weight_decay": 0.0})
    distribution = Distribution(torch.device("cpu"))
    torch.manual_seed(0)
    model = place(zoo.create("dcgan"), settings, distribution)
    recipe = make_recipe(offer, settings, model, (), zoo.Preprocessing(image_size=(28, 28), channels=1))
    prepare(recipe, settings, distribution)
    stepper = Stepper(recipe, settings, 1_000_000, distribution)
    training = batches(dataset, "train", settings, distribution)
    supply = (batch for epoch in itertools.count() for batch in training.epoch(epoch))
    counted = itertools.count()
    return lambda: stepper.step(next(supply), next(counted))


def by_hand(batch_size: int, folder: Path | None) -> Callable[[], None]:
    """Return a function that takes a step of the textbook's loop."""
    dataset = fashion_mnist(folder) if folder else fashion_mnist_sample(None)
    images = torch.from_numpy(dataset.splits["train"].images.copy()).float().div_(255)
    torch.manual_seed(0)
    model = zoo.create("dcgan").to(memory_format=torch.channels_last).train()
    generator, discriminator = model.generator, model.discriminator
    optimizer_d = torch.optim.Adam(discriminator.parameters(), 2e-4, betas=(0.5, 0.999), fused=True)
    optimizer_g = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.5, 0.999), fused=True)

    def supply() -> Iterator[torch.Tensor]:
        while True:
            order = torch.randperm(len(images))
            for start in range(0, len(order) - batch_size + 1, batch_size):
                yield images[order[start : start + batch_size]]

    batches = supply()

    def step() -> None:
        real = next(batches)
        with torch.no_grad():
            made = generator(torch.randn(batch_size, 100))
        optimizer_d.zero_grad(set_to_none=True)
        of_real, of_made = discriminator(real), discriminator(made)
        loss = F.binary_cross_entropy_with_logits(of_real, torch.ones_like(of_real))
        loss = loss + F.binary_cross_entropy_with_logits(of_made, torch.zeros_like(of_made))
        loss.backward()
        optimizer_d.step()
        optimizer_g.zero_grad(set_to_none=True)
        of_made = discriminator(generator(torch.randn(batch_size, 100)))
        (-F.binary_cross_entropy_with_logits(of_made, torch.zeros_like(of_made))).backward()
        optimizer_g.step()

    return step


if __name__ == "__main__":
    main()
