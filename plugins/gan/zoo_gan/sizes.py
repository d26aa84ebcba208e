"""The sizes that GANs can have."""

import math


def halvings(image_size: int) -> tuple[int, int]:
    """Return how often a side is halved, and what is left of it: 4 of powers of two from 16 on, 7 of 28."""
    if image_size == 28:
        return 2, 7
    if image_size < 16 or image_size & (image_size - 1):
        raise ValueError(f"image_size must be 28 or a power of two from 16 on, not {image_size}")
    return int(math.log2(image_size)) - 2, 4
