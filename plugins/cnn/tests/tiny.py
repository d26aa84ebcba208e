"""Recipes on the smallest ResNet, and what they learn from."""

from typing import Any

import torch
import torch.nn.functional as F

import zoo
from zoo.engine.stepper import Stepper
from zoo.registry.recipe_settings import settings_from
from zoo.registry.registry import default_registry
from zoo.training.named_recipe import make_recipe

TINY = {"depth": 1, "widths": [4, 8, 16], "channels": 1}
INPUTS = zoo.Preprocessing(image_size=(12, 12), channels=1)


def unit(*shape: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)), dim=-1)


def stepper(name: str, classes: tuple[str, ...] = (), model: str = "resnet20", **settings: Any) -> Stepper:
    torch.manual_seed(0)
    offer = default_registry().recipe(name)
    small = {"projection_hidden": 16, "projection_size": 8, "bank_size": 32, "neighbours": 3}
    chosen = settings_from(offer, {**(small if name in ("simclr", "byol", "dino") else {}), "warmup": 0.0, **settings})
    return Stepper(make_recipe(offer, chosen, zoo.create(model, **TINY), classes, INPUTS), chosen, 10)


def batch(count: int = 8, *, labels: bool = True) -> dict[str, torch.Tensor]:
    images = torch.rand(count, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    index = torch.arange(count)
    return {"images": images, "index": index, **({"labels": index % 2} if labels else {})}
