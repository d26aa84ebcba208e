"""Small arguments of every architecture, and inputs for them."""

import torch
from torch import Tensor

SMALL_TEXT = {"vocab_size": 50, "context": 32, "width": 16, "depth": 2, "num_heads": 4}
SMALL = [
    ("vit", {"width": 24, "depth": 3, "num_heads": 3, "mlp_width": 48, "image_size": 32, "patch_size": 8}),
    ("bert", SMALL_TEXT),
    ("roberta", SMALL_TEXT),
    ("distilbert", SMALL_TEXT),
    ("gpt2", SMALL_TEXT),
    ("llama", {**SMALL_TEXT, "num_kv_heads": 2, "mlp_width": 40}),
    ("t5", {**SMALL_TEXT, "mlp_width": 40}),
    ("marian", {**SMALL_TEXT, "mlp_width": 40, "num_heads": 2, "decoder_num_heads": 4}),
]
TEXTS = [item for item in SMALL if item[0] != "vit"]


def drawn() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def images(size: int, channels: int = 3) -> Tensor:
    return torch.rand(4, channels, size, size, generator=drawn())


def tokens(batch: int = 3, length: int = 9, vocab_size: int = 50) -> Tensor:
    return torch.randint(1, vocab_size, (batch, length), generator=drawn())
