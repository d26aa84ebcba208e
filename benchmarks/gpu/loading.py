"""Batches on the GPU: Zoo's, cropped and flipped there, against torchvision's transforms in a DataLoader of workers."""

import os
from typing import Any

import torch
from part import DEVICE, Part, in_turn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from zoo.data.augmentation.policies import augment
from zoo.data.draws import Draws
from zoo.data.images.batches import TensorBatches

_BATCH = 512


def main() -> None:
    part = Part(__doc__)
    random = torch.Generator().manual_seed(0)
    for size, count in ((32, 1_000 if part.tiny else 50_000), (64 if part.tiny else 224, 64 if part.tiny else 4_000)):
        images = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=random)
        batch = min(_BATCH, count)
        batches = TensorBatches(
            images.numpy(), {}, batch_size=batch, seed=0, shuffle=True, drop_last=True, device=DEVICE
        )
        workers = min(2 if part.tiny else 8, os.cpu_count() or 1)
        loader = DataLoader(
            Samples(images),
            batch,
            shuffle=True,
            num_workers=workers,
            persistent_workers=True,
            drop_last=True,
            pin_memory=DEVICE.type == "cuda",
        )
        pinned = images[:batch].pin_memory() if DEVICE.type == "cuda" else images[:batch]
        sides = {
            "zoo": lambda batches=batches: by_zoo(batches),
            "torchvision": lambda loader=loader: [batch.to(DEVICE, non_blocking=True) for batch in loader],
            "copying bytes alone": lambda pinned=pinned, count=count: [
                pinned.to(DEVICE, non_blocking=True).float().div_(255) for _ in range(count // len(pinned))
            ],
        }
        for run in sides.values():
            run()
        found = in_turn(sides, 1 if part.tiny else 3)
        part.note(f"{size}x{size}", {"images": count // batch * batch, "batch": batch, "workers": workers, **found})


def by_zoo(batches: TensorBatches) -> None:
    for batch in batches.epoch(0):
        augment(batch["images"], Draws(0, 0, batch["index"]), "crop_flip")


class Samples(Dataset[Any]):
    def __init__(self, images: torch.Tensor) -> None:
        self.images = images
        size = images.shape[-1]
        self.transform = v2.Compose(
            [
                v2.RandomCrop(size, padding=size // 8, padding_mode="reflect"),
                v2.RandomHorizontalFlip(),
                v2.ToDtype(torch.float32, scale=True),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, place: int) -> Any:
        return self.transform(self.images[place])


if __name__ == "__main__":
    main()
