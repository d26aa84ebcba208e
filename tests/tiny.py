"""A plugin with one small backbone, installed for the length of a test, and weights of it."""

from pathlib import Path
from typing import Any

from zoo.weights.description import DataRecord
from zoo.weights.inputs import Preprocessing

CODE = """
import torch
from torch import nn
import zoo

class Tiny(nn.Module):
    def __init__(self, *, width: int = 4, num_classes: int = 2):
        super().__init__()
        self.num_classes = num_classes
        self.stem = nn.Conv2d(1, width, 3)
        self.head = nn.Linear(width, num_classes)

    def get_classifier(self):
        return self.head

    def forward_intermediates(self, x, indices=None, *, intermediates_only=False):
        maps = [self.stem(x)]
        return maps if intermediates_only else (maps[-1], maps)

    def forward(self, x):
        return self.head(self.stem(x).relu().mean((2, 3)))

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="tiny", family="cnn", summary="A tiny net", target="zoo_tiny:Tiny",
                        task="image-classification", license="MIT")
"""


def install(site: Any) -> None:
    """Install the plugin zoo-tiny."""
    from zoo.registry.registry import default_registry

    site.install("zoo-tiny", CODE)
    default_registry.cache_clear()


def make_weights(folder: Path, **changes: Any) -> Any:
    """Write a complete weights folder as an export does, without a run, and return the model."""
    import torch

    import zoo
    from zoo.publishing.model_card import write_card
    from zoo.registry.registry import default_registry
    from zoo.weights.config import read_config
    from zoo.weights.folder import load_weights, save_weights
    from zoo.weights.selftest import write_selftest

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create("tiny")
    known: dict[str, Any] = {
        "labels": ("cat", "dog"),
        "inputs": Preprocessing(image_size=(8, 8), channels=1),
        "data": DataRecord(name="fashion_mnist", fingerprint="f" * 64, license="MIT"),
    }
    save_weights(folder, model, model_name="tiny", arguments={}, **{**known, **changes})
    block = read_config(folder)
    write_selftest(folder, load_weights(folder, block), block, default_registry().model("tiny").spec, known["inputs"])
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 2.0}\n{"event": "test", "accuracy": 87.5}\n')
    (folder / "recipe.toml").write_text('recipe = "classification"\n')
    write_card(folder, block, parameters=50, license="mit")
    return model
