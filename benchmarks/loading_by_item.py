"""The peer of loading_batches.py: a DataLoader whose workers pad, crop, flip and convert one picture after the other.

It prints images a second by the clock, and by processor time.

python benchmarks/loading_by_item.py "by hand"|torchvision IMAGES.npy BATCH
"""

import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import DataLoader, Dataset


def by_hand(picture: Image.Image) -> torch.Tensor:
    size = picture.width
    padding = size // 8
    left, top = random.randint(0, 2 * padding), random.randint(0, 2 * padding)
    picture = ImageOps.expand(picture, padding).crop((left, top, left + size, top + size))
    if random.random() < 0.5:
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    array = torch.from_numpy(np.array(picture))
    array = array[None] if array.ndim == 2 else array.permute(2, 0, 1).contiguous()
    return array.float().div_(255)


def by_torchvision(size: int) -> Callable[[Image.Image], torch.Tensor]:
    from torchvision import transforms

    crop = transforms.RandomCrop(size, padding=size // 8)
    composed: Any = transforms.Compose([crop, transforms.RandomHorizontalFlip(), transforms.ToTensor()])
    return composed


class Pictures(Dataset[torch.Tensor]):
    def __init__(self, images: np.ndarray, transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self.images = images
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, place: int) -> torch.Tensor:
        return self.transform(Image.fromarray(self.images[place]))


def main() -> None:
    kind, path, batch = sys.argv[1:]
    images = np.load(path)
    transform = by_hand if kind == "by hand" else by_torchvision(images.shape[1])
    loader = DataLoader(Pictures(images, transform), int(batch), shuffle=True, drop_last=True, num_workers=2)
    for _ in range(2):  # the first warms up
        wall, processor = time.perf_counter(), processor_seconds()
        count = sum(len(images) for images in loader)
        wall, processor = time.perf_counter() - wall, processor_seconds() - processor
    print(count / wall, count / processor)


def processor_seconds() -> float:
    """Return the processor time of this process and of the workers that have ended, as they do with each epoch."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
