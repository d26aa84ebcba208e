"""A plugin with a model that gives pictures back and makes some, and a recipe that trains it, installed for a test."""

from pathlib import Path
from typing import Any

CODE = """
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

import zoo


class Painter(zoo.ImageBackboneModule):
    def __init__(self, *, width: int = 4, num_classes: int = 0):
        super().__init__()
        self.num_features = width
        self.encoder = nn.Conv2d(1, width, 3, padding=1)
        self.decoder = nn.Conv2d(width, 1, 3, padding=1)
        self.reset_classifier(num_classes)

    def intermediates(self, x):
        features = self.encoder(x).relu()
        return features, [features]

    def pool(self, x):
        return x.mean((2, 3))

    def reconstruct(self, images):
        return self.decoder(self.forward_features(images)).sigmoid()

    def sample(self, n, /, *, generator=None):
        return self.reconstruct(torch.rand(n, 1, 8, 8, generator=generator))

    def group_matcher(self, coarse=False):
        return {"stem": "^encoder", "blocks": "^decoder"}


@dataclass(frozen=True, kw_only=True)
class Settings(zoo.TrainingSettings):
    batch_size: int = 4


class Painting(zoo.OneNetwork):
    def __init__(self, settings, model, classes, preprocessing):
        super().__init__(settings, model, classes)

    def step(self, batch, draws):
        yield zoo.Loss("model", F.mse_loss(self.model.reconstruct(batch["images"]), batch["images"]))

    def evaluate(self, batches):
        with zoo.evaluating(self.model):
            errors = [F.mse_loss(self.model.reconstruct(batch["images"]), batch["images"]) for batch in batches]
        return {"mse": float(sum(errors) / len(errors))}

    def pictures(self, batches, folder):
        return []


@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="painter", family="autoencoder", summary="Paints", target="zoo_painter:Painter",
                        capabilities=("features", "reconstruct", "sample"), recipe="painting", license="MIT")


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
