"""Hold models in the mode that scores and pictures are taken in."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def evaluating(*models: nn.Module) -> Iterator[None]:
    """Hold models in eval mode, without gradients, for the length of the block; then each is as it was."""
    modes = [model.training for model in models]
    try:
        with torch.no_grad():
            for model in models:
                model.eval()
            yield
    finally:
        for model, training in zip(models, modes, strict=True):
            model.train(training)
