"""The pyramid head on backbones of every shape."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo
from zoo.registry.registry import default_registry
from zoo.specs.networks import Network
from zoo.tasks.segmentation.network import Segmenter


class Stranger(nn.Module):
    """A backbone as a plugin's author may write it: one convolution a stage, each with its own reduction."""

    def __init__(self, *, reductions: Sequence[int], channels: int = 3, num_classes: int = 10) -> None:
        super().__init__()
        self.feature_info = [
            zoo.FeatureInfo(4 + place, reduction, f"stages.{place}") for place, reduction in enumerate(reductions)
        ]
        self.stages = nn.ModuleList()
        before = 1
        for inputs, info in zip(
            [channels, *(info.channels for info in self.feature_info)], self.feature_info, strict=False
        ):
            stride = info.reduction // before
            self.stages.append(nn.Conv2d(inputs, info.channels, 3, stride, padding=1))
            before = info.reduction
        self.num_features = self.feature_info[-1].channels
        self.reset_classifier(num_classes)

    def reset_classifier(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

    def forward_intermediates(self, x: Tensor, indices: Any = None, *, intermediates_only: bool = False) -> Any:
        maps = []
        for stage in self.stages:
            x = stage(x).relu()
            maps.append(x)
        maps = maps if indices is None else [maps[index] for index in indices]
        return maps if intermediates_only else (x, maps)

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        self.checkpointing = enable


def installed(name: str) -> Any:
    known = {offer.spec.name for offer in default_registry().offers("models")}
    return pytest.mark.skipif(name not in known, reason=f"needs the plugin that has {name}")


@pytest.mark.parametrize("reductions", [(1, 2, 4), (2, 4, 8), (4, 8, 16, 32), (1, 1, 2), (2,), (16,)])
@pytest.mark.parametrize("finest", [1, 4])
def test_gives_logits_of_the_inputs_size(reductions: tuple[int, ...], finest: int) -> None:
    network = Segmenter(Stranger(reductions=reductions), 5, width=8, finest=finest)
    images = torch.rand(2, 3, 37, 50)
    assert network(images).shape == (2, 5, 37, 50)
    network(images).square().mean().backward()
    unused = [name for name, parameter in network.named_parameters() if parameter.grad is None]
    assert not [name for name in unused if not name.startswith("backbone")], "every parameter of the head learns"


def test_finer_maps_than_asked_for_are_left_out() -> None:
    assert Segmenter(Stranger(reductions=(1, 2, 4, 8)), 2, width=8).pyramid.reductions == (4, 8)
    assert Segmenter(Stranger(reductions=(1, 2, 4, 8)), 2, width=8, finest=1).pyramid.reductions == (1, 2, 4, 8)
    assert Segmenter(Stranger(reductions=(1, 2)), 2, width=8).pyramid.reductions == (2,)
    assert Segmenter(Stranger(reductions=(16,)), 2, width=8).pyramid.reductions == (4, 8, 16)


def test_is_a_network_and_takes_the_classifier_away() -> None:
    network = Segmenter(Stranger(reductions=(2, 4)), 3, width=8, finest=2, dropout=0.0)
    assert isinstance(network, Network)
    assert network.arguments == {"width": 8, "finest": 2, "dropout": 0.0}
    assert network.backbone.num_classes == 0


def test_coarse_maps_change_the_logits() -> None:
    torch.manual_seed(0)
    network = Segmenter(Stranger(reductions=(4, 8)), 3, width=8).eval()
    images = torch.rand(1, 3, 32, 32)
    before = network(images)
    last: Any = network.backbone.get_submodule("stages.1")
    nn.init.ones_(last.weight)
    assert not torch.allclose(before, network(images))


def test_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match="two or more classes"):
        Segmenter(Stranger(reductions=(2, 4)), 1)


def test_recomputes_the_backbone() -> None:
    network = Segmenter(Stranger(reductions=(2, 4)), 2, width=8)
    network.set_grad_checkpointing()
    assert network.backbone.checkpointing


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        pytest.param("resnet18", {"widths": [8, 8, 16, 16]}, marks=installed("resnet18")),
        pytest.param("resnet18", {"widths": [8, 8, 16, 16], "cifar_stem": True}, marks=installed("resnet18")),
        pytest.param("resnet20", {"widths": [4, 8, 8]}, marks=installed("resnet20")),
        pytest.param("mobilenetv3_small_100", {}, marks=installed("mobilenetv3_small_100")),
        pytest.param(
            "conv_autoencoder",
            {"image_size": [40, 56], "channels": 3, "widths": [4, 8, 8], "code_size": 4},
            marks=installed("conv_autoencoder"),
        ),
    ],
)
def test_on_backbones_of_plugins(name: str, arguments: dict[str, Any]) -> None:
    network = Segmenter(zoo.create(name, **arguments), 4, width=8).eval()
    assert network(torch.rand(2, 3, 40, 56)).shape == (2, 4, 40, 56)
