"""An image folder of 20,000 JPEGs: pictures a second in the first epoch, which decodes, and in the second.

The pictures are crops of photographs (CamVid, BCCD and COCO under $ZOO_DATA), saved as JPEG in quality 90. The first
epoch opens the folder with an empty cache: it lists, hashes, decodes and gives out all batches. The second gives them
out again from memory.

    ZOO_DATA=../shared/data python benchmarks/loading_folder.py [--count 20000] [--size 64]
"""

import argparse
import functools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.pictures import processors
from zoo.engine.recipe import Batches

CROP = 256
PHOTOGRAPHS = ("camvid/CamVid/*/*.jpg", "bccd/BCCD/JPEGImages/*.jpg", "coco32/**/*.jpg")


def make_folder(folder: Path, count: int) -> None:
    """Write crops of CROP pixels, dealt out to ten folders."""
    root = Path(os.environ["ZOO_DATA"])
    photographs = sorted(path for pattern in PHOTOGRAPHS for path in root.glob(pattern))
    crops = -(-count // len(photographs))  # of each photograph
    random = np.random.default_rng(0)
    for place in range(10):
        (folder / str(place)).mkdir(parents=True)
    for made in range(count):
        if made % crops == 0:
            with Image.open(photographs[made // crops]) as opened:
                picture = opened.convert("RGB")
        left, top = (int(random.integers(0, max(1, side - CROP))) for side in picture.size)
        crop = picture.crop((left, top, left + CROP, top + CROP))
        crop.save(folder / str(made % 10) / f"{made}.jpg", quality=90)


def open_folder(folder: Path, size: int, *, stream: bool = False) -> Batches:
    split = open_image_folder(folder, image_size=(size, size), channels=3, stream=stream).splits["train"]
    cpu = torch.device("cpu")
    return split.batches(batch_size=256, seed=0, shuffle=True, drop_last=False, device=cpu)


def epoch(batches: Batches, number: int) -> int:
    """Go through an epoch; return how many pictures it had."""
    return sum(len(batch["images"]) for batch in batches.epoch(number))


def rate(work: Callable[[], int]) -> float:
    start = time.perf_counter()
    count = work()
    return count / (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=64)
    arguments = parser.parse_args()
    count, size = arguments.count, arguments.size
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "photos"
        os.environ["ZOO_CACHE"] = str(Path(temporary) / "cache")
        make_folder(folder, count)
        stored = sum(path.stat().st_size for path in folder.rglob("*.jpg"))
        print(f"{count:,} JPEGs of {CROP}x{CROP}, {stored / 1e6:.0f} MB, to {size}x{size}")

        def first() -> int:
            epoch(open_folder(folder, size), 0)
            return count  # all are decoded, and those to train on given out

        decoding = rate(first)
        again = rate(lambda: epoch(open_folder(folder, size), 1))
        batches = open_folder(folder, size)
        second = statistics.median(rate(functools.partial(epoch, batches, number)) for number in range(1, 6))
        streamed = rate(lambda: epoch(open_folder(folder, size, stream=True), 1))
    print(f"first epoch, empty cache: {decoding:,.0f} img/s")
    print(f"second epoch {second:,.0f} img/s, {second / decoding:.0f} times the first")
    print(f"an epoch of a new process, folder opened again: {again:,.0f} img/s, {again / decoding:.0f} times")
    print(f"streamed, decoded in every epoch by {processors()} processes: {streamed:,.0f} img/s")


if __name__ == "__main__":
    main()
