"""A stranger's backbone, installed as a plugin for the length of a test: two stages, no more than the protocol asks."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from zoo.registry.registry import default_registry

CODE = """
from torch import nn
import zoo

class Stranger(nn.Module):
    def __init__(self, *, width: int = 8, channels: int = 3, num_classes: int = 0):
        super().__init__()
        self.one = nn.Sequential(nn.Conv2d(channels, width, 3, 4, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.two = nn.Sequential(nn.Conv2d(width, 2 * width, 3, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU())
        self.feature_info = [zoo.FeatureInfo(width, 4, "one"), zoo.FeatureInfo(2 * width, 8, "two")]
        self.num_features = 2 * width
        self.reset_classifier(num_classes)

    def forward_intermediates(self, x, indices=None, *, intermediates_only=False):
        first = self.one(x)
        maps = [first, self.two(first)]
        if indices is not None:
            chosen = maps[-indices:] if isinstance(indices, int) else [maps[index] for index in indices]
        else:
            chosen = maps
        return chosen if intermediates_only else (maps[-1], chosen)

    def forward_features(self, x):
        return self.two(self.one(x))

    def forward_head(self, x, pre_logits=False):
        pooled = x.mean((2, 3))
        return pooled if pre_logits else self.head(pooled)

    def forward(self, x):
        return self.forward_head(self.forward_features(x))

    def get_classifier(self):
        return self.head

    def reset_classifier(self, num_classes):
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def no_weight_decay(self):
        return set()

    def group_matcher(self, coarse=False):
        return {"stem": r"^one", "blocks": [(r"^(two)", None)]}

    def set_grad_checkpointing(self, enable=True):
        pass

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="stranger", family="cnn", summary="Two stages", target="zoo_stranger:Stranger",
                        limits={"width": 64, "channels": 4}, license="MIT")
"""


@pytest.fixture
def stranger(site: Any) -> str:
    """Install the plugin and return the model's name."""
    site.install("zoo-stranger", CODE)
    default_registry.cache_clear()
    return "stranger"


@pytest.fixture(autouse=True)
def _fixed_weights() -> Iterator[None]:
    """Let fresh weights be the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
