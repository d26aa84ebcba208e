"""What a run remembers beside its networks, in buffers, so that a resumed run has it too.

They are bytes, which no average of weights, over time or processes, takes in, and flat, since layouts of memory are for
pictures that are computed with.
"""

import math

import torch
from torch import Tensor, nn


class Film(nn.Module):
    """Frames of the same samples as training goes, at most `capacity`: when it is full every other one goes."""

    def __init__(self, capacity: int, shape: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.capacity = capacity
        self.register_buffer("frames", torch.zeros(capacity, math.prod(shape), dtype=torch.uint8))
        self.register_buffer("taken", torch.zeros(capacity, dtype=torch.int64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("parts", torch.zeros((), dtype=torch.int64))
        self.frames: Tensor
        self.taken: Tensor
        self.count: Tensor
        self.parts: Tensor

    def advance(self) -> None:
        """Count a micro-batch."""
        self.parts += 1

    @torch.no_grad()
    def take(self, pictures: Tensor) -> None:
        """Add a frame, unless there is one of this very moment."""
        count = int(self.count)
        if count and int(self.taken[count - 1]) == int(self.parts):
            return
        if count == self.capacity:
            count = (count + 1) // 2
            for buffer in (self.frames, self.taken):
                buffer[:count] = buffer[::2].clone()
        self.frames[count] = as_bytes(pictures).flatten()
        self.taken[count] = self.parts
        self.count.fill_(count + 1)

    def shown(self) -> list[tuple[int, Tensor]]:
        """Return the frames, each with how many micro-batches had been seen."""
        count = int(self.count)
        pictures = [as_floats(frame.view(self.shape)) for frame in self.frames[:count]]
        return list(zip(self.taken[:count].tolist(), pictures, strict=True))


class PictureBank(nn.Module):
    """The last `size` training pictures that this process saw."""

    def __init__(self, size: int, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.register_buffer("pictures", torch.zeros(size, math.prod(shape), dtype=torch.uint8))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.pictures: Tensor
        self.seen: Tensor

    @torch.no_grad()
    def push(self, pictures: Tensor) -> None:
        """Put pictures in place of the oldest."""
        size = len(self.pictures)
        rows = as_bytes(pictures).flatten(1)[-size:]
        self.pictures[(self.seen + torch.arange(len(rows), device=rows.device)) % size] = rows
        self.seen += len(rows)

    def filled(self) -> Tensor:
        """Return the pictures that are there, as floats in [0, 1]."""
        count = min(int(self.seen), len(self.pictures))
        return as_floats(self.pictures[:count].view(count, *self.shape))


def as_bytes(pictures: Tensor) -> Tensor:
    """Return floats in [0, 1] as bytes."""
    return pictures.clamp(0, 1).mul(255).round().to(torch.uint8)


def as_floats(pictures: Tensor) -> Tensor:
    """Return bytes as floats in [0, 1]."""
    return pictures.float().div(255)
