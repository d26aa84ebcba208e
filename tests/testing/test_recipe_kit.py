"""The suite for recipes lets what only rounds otherwise pass, and names what learns otherwise in several processes."""

from typing import Any

import pytest
import torch

from zoo.testing import RecipeTests

CODE = """
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

import zoo


class Deep(zoo.ImageBackboneModule):
    def __init__(self, *, width: int = 16, num_classes: int = 0):
        super().__init__()
        self.num_features = width
        layers = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        for _ in range(5):
            layers += [nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.reset_classifier(num_classes)

    def intermediates(self, x):
        features = self.layers(x)
        return features, [features]

    def pool(self, x):
        return x.mean((2, 3))

    def group_matcher(self, coarse=False):
        return {"stem": "^layers.0", "blocks": "^layers"}


@dataclass(frozen=True, kw_only=True)
class Settings(zoo.TrainingSettings):
    learning_rate: float = 0.05


class Deepening(zoo.OneNetwork):
    def __init__(self, settings, model, classes, preprocessing):
        super().__init__(settings, model, classes)
        self.kept = list(model.parameters())

    def step(self, batch, draws):
        features = self.model.forward_features(batch["images"])
        wanted = batch["images"].mean((1, 2, 3))[:, None].expand(-1, 16)
        yield zoo.Loss("model", F.mse_loss(features.mean((2, 3)), wanted))

    def evaluate(self, batches):
        return {"loss": 0.0}

    def pictures(self, batches, folder):
        return []


@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="deep", family="cnn", summary="Deep", target="zoo_deep:Deep",
                        capabilities=("features",), recipe="deepening", license="MIT")


@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="deepening", stage="pretrain", summary="Deepen", target="zoo_deep:Deepening",
                         settings="zoo_deep:Settings", task="image-feature-extraction", score="loss")
"""


class Deep(RecipeTests):
    name = "deepening"
    model = "deep"

    def batch(self) -> dict[str, torch.Tensor]:
        return {"images": torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(0))}


@pytest.mark.parametrize("sharding", ["ddp", "fsdp"])
def test_how_channels_lie_in_memory_is_no_fault(site: Any, sharding: str) -> None:
    """FSDP2 knows one layout alone, by which convolutions round otherwise, and steps of Adam grow that."""
    site.install("zoo-deep", CODE)
    Deep().test_trains_alike_when_distributed(sharding)


def test_an_optimizer_of_parameters_from_before_is_told(site: Any) -> None:
    held = "    def optimizers(self):\n        return {'model': torch.optim.SGD(self.kept, 0.1)}\n\n    def step("
    site.install("zoo-deep", CODE.replace("    def step(", held))
    Deep().test_trains_alike_when_distributed("ddp")
    said = r"^model/layers.0.weight does not learn under fsdp: optimizers\(\) looks parameters up when it is called"
    with pytest.raises(AssertionError, match=said):
        Deep().test_trains_alike_when_distributed("fsdp")


def test_what_a_network_learns_beside_its_loss_is_told(site: Any) -> None:
    beside = (
        "    def step(self, batch, draws):\n        if DISTRIBUTED: batch = {'images': batch['images'].flip(0)[:2]}\n"
    )
    code = CODE.replace("    def step(self, batch, draws):\n", beside)
    code = code.replace("DISTRIBUTED", "torch.distributed.is_initialized()")
    site.install("zoo-deep", code)
    with pytest.raises(AssertionError, match=r"learns otherwise under ddp, by up to 0\.\d+: what gets gradients goes"):
        Deep().test_trains_alike_when_distributed("ddp")


@pytest.mark.parametrize(
    "use", ["features.mean((2, 3)) @ self.head.weight.T", "F.linear(features.mean((2, 3)), self.head.weight)"]
)
def test_a_weight_that_is_read_past_its_module_is_named(site: Any, use: str) -> None:
    code = CODE.replace(
        "        self.reset_classifier(num_classes)\n",
        "        self.head = nn.Linear(width, 16)\n        self.reset_classifier(num_classes)\n",
    ).replace("F.mse_loss(features.mean((2, 3)), wanted)", "F.mse_loss(self.model.projected(features), wanted)")
    code = code.replace(
        "    def pool(self, x):", f"    def projected(self, features):\n        return {use}\n\n    def pool(self, x):"
    ).replace(
        "class Deep(zoo.ImageBackboneModule):",
        "class Deep(zoo.ImageBackboneModule):\n    classifier_name = 'classes'\n",
    )
    site.install("zoo-deep", code)
    Deep().test_trains_alike_when_distributed("ddp")
    said = "head.weight is used while head is not being called: FSDP2 gathers the weights of a block"
    with pytest.raises(AssertionError, match=said):
        Deep().test_trains_alike_when_distributed("fsdp")
