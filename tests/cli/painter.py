"""A plugin with a model that gives pictures back and makes some, and a recipe that trains it, installed for a test."""

from pathlib import Path
from typing import Any

CODE = """
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

import zoo


class Painter(nn.Module):
    def __init__(self, *, width: int = 4, num_classes: int = 0):
        super().__init__()
        self.num_features = width
        self.encoder = nn.Conv2d(1, width, 3, padding=1)
        self.decoder = nn.Conv2d(width, 1, 3, padding=1)
        self.reset_classifier(num_classes)

    def forward_features(self, x):
        return self.encoder(x).relu()

    def forward_intermediates(self, x, indices=None, *, intermediates_only=False):
        maps = [self.forward_features(x)]
        return maps if intermediates_only else (maps[-1], maps)

    def forward_head(self, x, pre_logits=False):
        pooled = x.mean((2, 3))
        return pooled if pre_logits else self.head(pooled)

    def forward(self, x):
        return self.forward_head(self.forward_features(x))

    def reconstruct(self, images):
        return self.decoder(self.forward_features(images)).sigmoid()

    def sample(self, n, /, *, generator=None):
        return self.reconstruct(torch.rand(n, 1, 8, 8, generator=generator))

    def get_classifier(self):
        return self.head

    def reset_classifier(self, num_classes):
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def no_weight_decay(self):
        return set()

    def group_matcher(self, coarse=False):
        return {"stem": "^encoder", "blocks": "^decoder"}

    def set_grad_checkpointing(self, enable=True):
        pass


@dataclass(frozen=True, kw_only=True)
class Settings(zoo.TrainingSettings):
    batch_size: int = 4


class Painting:
    def __init__(self, settings, model, classes, preprocessing):
        self.settings, self.model = settings, model

    def modules(self):
        return {"model": self.model}

    def optimizers(self):
        groups = zoo.parameter_groups(self.model, self.settings)
        return {"model": zoo.make_optimizer("adamw", groups, self.settings)}

    def step(self, batch, draws):
        yield zoo.Loss("model", F.mse_loss(self.model.reconstruct(batch["images"]), batch["images"]))

    def evaluate(self, batches):
        with zoo.evaluating(self.model):
            errors = [F.mse_loss(self.model.reconstruct(batch["images"]), batch["images"]) for batch in batches]
        return {"mse": float(sum(errors) / len(errors))}

    def pictures(self, batches, folder):
        return []

    def export(self):
        return self.model


@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="painter", family="autoencoder", summary="Paints", target="zoo_painter:Painter",
                        capabilities=("features", "reconstruct", "sample"), recipe="painting", licence="MIT")


@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="painting", stage="pretrain", summary="Paint what is seen", target="zoo_painter:Painting",
                         settings="zoo_painter:Settings", task="image-feature-extraction", score="mse")
"""


def install(site: Any) -> None:
    """Install the plugin zoo-painter."""
    site.install("zoo-painter", CODE)


def make_photos(folder: Path) -> None:
    """Write pictures of two classes, dark and light, in folders for training and for tests."""
    from PIL import Image

    for split, count in (("train", 6), ("test", 2)):
        for name, grey in (("dark", 20), ("light", 220)):
            (folder / split / name).mkdir(parents=True)
            for place in range(count):
                Image.new("L", (8, 8), grey + place).save(folder / split / name / f"{place}.png")
