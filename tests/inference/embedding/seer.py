"""A plugin with a small backbone of images, installed for the length of a test, and weights of it.

With ZOO_TEST_DIES_AFTER=N the process is killed as its model is asked for the N-th batch.
"""

from pathlib import Path
from typing import Any

CODE = """
import os, signal
import torch
from torch import nn
import zoo


class Seer(nn.Module):
    asked = 0

    def __init__(self, *, width: int = 6, num_classes: int = 2):
        super().__init__()
        self.num_features, self.num_classes = width, num_classes
        self.feature_info = [zoo.FeatureInfo(width, 1, "stem")]
        self.stem = nn.Conv2d(1, width, 3)
        self.head = nn.Linear(width, num_classes)

    def forward_features(self, x):
        Seer.asked += 1
        if Seer.asked == int(os.environ.get("ZOO_TEST_DIES_AFTER", 0)):
            os.kill(os.getpid(), signal.SIGKILL)
        return self.stem(x).relu()

    def forward_head(self, x, pre_logits=False):
        pooled = x.mean((2, 3))
        return pooled if pre_logits else self.head(pooled)

    def forward(self, x):
        return self.forward_head(self.forward_features(x))

    def forward_intermediates(self, x, indices=None, *, intermediates_only=False):
        maps = [self.forward_features(x)]
        return maps if intermediates_only else (maps[-1], maps)

    def get_classifier(self):
        return self.head

    def reset_classifier(self, num_classes):
        self.num_classes, self.head = num_classes, nn.Linear(self.num_features, num_classes)

    def no_weight_decay(self):
        return set()

    def group_matcher(self, coarse=False):
        return {"stem": "^stem", "blocks": "^head"}

    def set_grad_checkpointing(self, enable=True):
        pass


class Coder(Seer):
    encoder = decoder = nn.Identity()

    def embed(self, images):
        return images.flatten(1)[:, :5] * 2

    def reconstruct(self, images):
        return images


@zoo.hookimpl
def zoo_models():
    for name, target in (("seer", "Seer"), ("coder", "Coder")):
        yield zoo.ModelSpec(name=name, family="cnn", summary="sees", target=f"zoo_seer:{target}", license="MIT")
"""


def install(site: Any) -> None:
    """Install the plugin zoo-seer."""
    from zoo.registry.registry import default_registry

    site.install("zoo-seer", CODE)
    default_registry.cache_clear()


def make_weights(folder: Path, name: str = "seer", **inputs: Any) -> Path:
    """Write a weights folder that takes grey images of 28 x 28 unless told otherwise."""
    import torch

    import zoo
    from zoo.weights.folder import save_weights

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = zoo.create(name)
    asked = {"image_size": (28, 28), "channels": 1, "mean": (0.4,), "std": (0.2,), **inputs}
    save_weights(folder, model, model_name=name, arguments={}, inputs=zoo.Preprocessing(**asked))
    return folder
