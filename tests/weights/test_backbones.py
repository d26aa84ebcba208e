"""What backbones may build on: a head put where it was said, in the model's type, and maps that are chosen."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import zoo


class Net(zoo.ImageBackboneModule):
    classifier_name = "top.out"

    def __init__(self, num_classes: int = 2) -> None:
        super().__init__()
        self.num_features = 4
        self.feature_info = [zoo.FeatureInfo(width, 1, f"stages.{stage}") for stage, width in enumerate((3, 4, 4))]
        self.stages = nn.ModuleList([nn.Conv2d(1, 3, 1), nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)])
        self.top = nn.ModuleDict()
        self.reset_classifier(num_classes)

    def intermediates(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = []
        for stage in self.stages:
            x = self.run(stage, x)
            maps.append(x)
        return x, maps

    def pool(self, x: Tensor) -> Tensor:
        return x.mean((2, 3))

    def group_matcher(self, coarse: bool = False) -> dict[str, Any]:
        return {"stem": r"^stages\.0", "blocks": r"^stages\.(\d+)"}


def test_it_keeps_the_protocol() -> None:
    net = Net()
    assert isinstance(net, zoo.Backbone)
    images = torch.rand(2, 1, 5, 5)
    features, maps = net.forward_intermediates(images)
    assert torch.equal(net.forward_features(images), features) and len(maps) == 3
    assert torch.equal(net(images), net.get_classifier()(net.forward_head(features, pre_logits=True)))
    assert net.no_weight_decay() == set()


def test_a_fresh_head_is_of_the_models_type_and_place() -> None:
    net = Net().double()
    net.reset_classifier(7)
    assert (net.num_classes, net.top["out"].weight.shape, net.top["out"].weight.dtype) == (7, (7, 4), torch.double)
    net.reset_classifier(0)
    images = torch.rand(2, 1, 5, 5, dtype=torch.double)
    assert net(images).shape == (2, 4)
    with torch.device("meta"):
        assert Net().get_classifier().weight.is_meta  # type: ignore[union-attr]


@pytest.mark.parametrize(("indices", "widths"), [(None, [3, 4, 4]), (2, [4, 4]), ([0, 2], [3, 4]), ([-1], [4])])
def test_maps_are_chosen(indices: Any, widths: list[int]) -> None:
    maps = Net().forward_intermediates(torch.rand(1, 1, 5, 5), indices, intermediates_only=True)
    assert [item.shape[1] for item in maps] == widths


def test_blocks_are_computed_again_in_training_alone() -> None:
    net, counts = Net(), []
    net.stages[0].register_forward_pre_hook(lambda *_: counts.append(1))
    net.set_grad_checkpointing()
    images = torch.rand(1, 1, 5, 5)
    net(images).sum().backward()
    assert len(counts) == 2
    net.eval()(images).sum().backward()
    assert len(counts) == 3


def test_sizes_below_one_are_refused() -> None:
    zoo.check_sizes(width=1, depths=[1, 2], sides=(3, 4))
    for wrong in (0, -1, [3, 0], []):
        with pytest.raises(ValueError, match="width must be 1 or more, not"):
            zoo.check_sizes(width=wrong)
