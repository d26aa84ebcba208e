"""A detector on any backbone."""

from typing import Any

import pytest
import torch

import zoo
from zoo.registry.registry import default_registry
from zoo.specs.networks import Network
from zoo.tasks.detection.network import Detector, default_reductions, fitting_reductions, locations
from zoo.tasks.pyramid import FeaturePyramid, map_size

INSTALLED = {offer.spec.name for offer in default_registry().offers("models")}
BACKBONES: dict[str, dict[str, Any]] = {
    "conv_autoencoder": {"image_size": [40, 56], "channels": 3, "widths": [4, 8, 16], "code_size": 8},
    "resnet18": {"widths": [8, 8, 16, 16]},
    "convnext_atto": {},
    "mobilenetv3_small_100": {},
    "resnet20": {},
}


def check(backbone: torch.nn.Module) -> None:
    detector = Detector(backbone, 3, width=8, depth=1)
    logits, boxes = detector(torch.rand(2, 3, 40, 56))
    points, _ = locations((40, 56), detector.pyramid.reductions, torch.device("cpu"))
    assert logits.shape == (2, len(points), 3) and boxes.shape == (2, len(points), 4)
    assert (boxes[..., 2:] > boxes[..., :2]).all()
    (logits.square().sum() + boxes.square().sum()).backward()
    assert all(parameter.grad is not None for name, parameter in detector.named_parameters() if "backbone" not in name)


@pytest.mark.parametrize("name", BACKBONES)
def test_on_the_backbones_of_our_plugins(name: str) -> None:
    if name not in INSTALLED:
        pytest.skip("needs a backbone: pip install -e plugins/cnn plugins/autoencoder")
    check(zoo.create(name, **BACKBONES[name]))


def test_on_a_stranger(stranger: str) -> None:
    backbone = zoo.create(stranger, num_classes=5)
    check(backbone)
    assert backbone.num_classes == 0, "its own classifier is gone"


def test_keeps_the_protocol_of_networks_and_is_built_again_from_its_arguments(stranger: str) -> None:
    detector = Detector(zoo.create(stranger), 2, width=16)
    assert isinstance(detector, Network)
    assert detector.arguments == {"width": 16, "depth": 2, "reductions": [4, 8, 16]}
    again = Detector(zoo.create(stranger), 2, **detector.arguments)
    again.load_state_dict(detector.state_dict())
    images = torch.rand(1, 3, 32, 32)
    assert torch.equal(detector.eval()(images)[1], again.eval()(images)[1])


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        ((2, 4, 8, 16, 32), [8, 16, 32, 64]),
        ((4, 8), [4, 8, 16]),
        ((14, 14, 14), [16, 32]),
        ((1, 1, 2, 4), [1, 2, 4, 8]),
    ],
)
def test_levels_are_the_last_three_and_one_coarser(stages: tuple[int, ...], expected: list[int]) -> None:
    assert default_reductions([zoo.FeatureInfo(8, reduction, "") for reduction in stages]) == expected


@pytest.mark.parametrize(
    ("stages", "size", "expected"),
    [
        ((1, 2, 4), (480, 640), [8, 16, 32, 64]),
        ((1, 2, 4), (256, 256), [4, 8, 16, 32]),
        ((1, 2, 4), (28, 28), [1, 2, 4, 8]),
        ((2, 4, 8, 16, 32), (1333, 800), [8, 16, 32, 64]),
        ((4, 8, 16, 32), (28, 20), [8, 16]),
        ((14, 14), (8, 8), [16]),
    ],
)
def test_levels_suit_the_size_of_the_images(
    stages: tuple[int, ...], size: tuple[int, int], expected: list[int]
) -> None:
    info = [zoo.FeatureInfo(8, reduction, "") for reduction in stages]
    assert fitting_reductions(info, size) == expected
    pyramid = FeaturePyramid(info, width=8, reductions=expected)
    maps = [torch.rand(1, 8, *map_size(size, info[stage].reduction)) for stage in pyramid.stages]
    assert [level.shape[2:] for level in pyramid(maps, size)] == [map_size(size, level) for level in expected]


def test_places_are_centres_of_the_cells_of_each_level() -> None:
    points, reductions = locations((20, 30), (8, 16), torch.device("cpu"))
    assert points[:5].tolist() == [[4, 4], [12, 4], [20, 4], [28, 4], [4, 12]]
    assert reductions.tolist() == [8] * 12 + [16] * 4


def test_first_boxes_are_four_reductions_wide_and_scores_are_low(stranger: str) -> None:
    detector = Detector(zoo.create(stranger), 2, width=8)
    logits, boxes = detector(torch.rand(1, 3, 64, 64))
    _, reductions = locations((64, 64), detector.pyramid.reductions, torch.device("cpu"))
    assert torch.allclose(boxes[0, :, 2] - boxes[0, :, 0], reductions * 4, rtol=0.25)
    assert torch.allclose(logits.sigmoid(), torch.tensor(0.01), atol=0.004)
