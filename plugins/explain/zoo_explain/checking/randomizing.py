"""Models of random weights, made of a trained one block by block from its head down, and how alike maps are."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

_MOST_STAGES = 4


def randomized(model: nn.Module, seed: int, *, stages: int = _MOST_STAGES) -> Iterator[tuple[float, nn.Module]]:
    """Yield the share of layers that are random, from the head down, and the model (Adebayo et al., 2018).

    Each tensor's own numbers are dealt out anew, so that layers stay as large as they were; norms keep theirs.
    """
    # what is bound to a loaded model, such as predict, is no part of it
    bound = {id(value): value for name, value in vars(model).items() if name[0] != "_" or name == "_zoo_origin"}
    made = copy.deepcopy(model, bound)
    layers = [
        module for module in made.modules() if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Embedding))
    ]
    random = torch.Generator().manual_seed(seed)
    done = 0
    for stage in range(1, stages + 1):
        until = round(len(layers) * stage / stages)
        for layer in reversed(layers[len(layers) - until : len(layers) - done]):
            _shuffle(layer, random)
        done = until
        yield stage / stages, made


def _shuffle(layer: Any, random: torch.Generator) -> None:
    with torch.no_grad():
        flat = layer.weight.detach().flatten()
        dealt = flat[torch.randperm(len(flat), generator=random).to(flat.device)]
        layer.weight.data = dealt.view_as(layer.weight).clone()


def alike(one: Tensor, other: Tensor) -> Tensor:
    """Return the rank correlation (Spearman) of two maps of each image, (batch,); 0 where one is flat."""
    first, second = _ranks(one.flatten(1)), _ranks(other.flatten(1))
    first, second = (part - part.mean(1, keepdim=True) for part in (first, second))
    sizes = first.norm(dim=1) * second.norm(dim=1)
    return torch.where(sizes > 0, (first * second).sum(1) / sizes.clamp(min=1e-12), torch.zeros_like(sizes))


def _ranks(rows: Tensor) -> Tensor:
    """Return ranks, those of equal numbers their mean."""
    found = torch.empty_like(rows, dtype=torch.float64)
    for place, row in enumerate(rows):
        _, inverse, counts = row.unique(return_inverse=True, return_counts=True)
        ends = counts.cumsum(0)
        found[place] = (ends.double() - (counts.double() - 1) / 2)[inverse]
    return found
