"""Every architecture is a good citizen; the classes are tested small, the names in their default form on meta."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from zoo_cnn.layouts import MOBILENETV3

import zoo
from zoo.testing import ModelTests

NAMES = Path(__file__).parent / "names"


def images(size: int, channels: int = 3) -> Tensor:
    return torch.rand(4, channels, size, size, generator=torch.Generator().manual_seed(0))


class TestResNet(ModelTests):
    name = "resnet18"
    parameter_names = NAMES / "resnet18.txt"

    def arguments(self) -> dict[str, Any]:
        return {"widths": [8, 8, 16, 16], "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(64)


class TestBottleneckWithCifarStem(ModelTests):
    name = "cnn/resnet50"
    parameter_names = NAMES / "resnet50.txt"

    def arguments(self) -> dict[str, Any]:
        return {"depths": [1, 1, 2, 1], "widths": [4, 4, 8, 8], "cifar_stem": True, "channels": 1, "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(28, channels=1)


class TestResNetV2(ModelTests):
    name = "resnetv2_50"
    parameter_names = NAMES / "resnetv2_50.txt"

    def arguments(self) -> dict[str, Any]:
        return {"depths": [1, 1, 2, 1], "widths": [4, 4, 8, 8], "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(64)


class TestResNetV2OfKeras(TestResNetV2):
    def arguments(self) -> dict[str, Any]:
        keras = {"stride_last": True, "conv_bias": True, "zero_padded_pool": True, "norm_eps": 1.001e-5}
        return {**super().arguments(), **keras}


class TestVGG(ModelTests):
    name = "vgg16"
    parameter_names = NAMES / "vgg16.txt"

    def arguments(self) -> dict[str, Any]:
        return {"widths": [4, 4, 8, 8, 8], "hidden_size": 16, "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(64)


class TestVGGWithNorms(TestVGG):
    name = "vgg16_bn"
    parameter_names = NAMES / "vgg16_bn.txt"


class TestMobileNetV1(ModelTests):
    name = "mobilenetv1_100"
    parameter_names = NAMES / "mobilenetv1_100.txt"

    def arguments(self) -> dict[str, Any]:
        return {"width": 0.25, "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(64)


class TestCifarResNet(ModelTests):
    name = "resnet20"
    parameter_names = NAMES / "resnet20.txt"

    def arguments(self) -> dict[str, Any]:
        return {"widths": [4, 8, 17]}

    def inputs(self) -> Tensor:
        return images(31)


class TestConvNeXt(ModelTests):
    name = "convnext_tiny"
    parameter_names = NAMES / "convnext_tiny.txt"

    def arguments(self) -> dict[str, Any]:
        return {"depths": [1, 1, 2, 1], "widths": [8, 8, 16, 24], "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(64)


class TestConvNeXtOfConvolutions(TestConvNeXt):
    name = "convnext_atto"
    parameter_names = NAMES / "convnext_atto.txt"


class TestMobileNetV3Small(ModelTests):
    name = "mobilenetv3_small_100"
    parameter_names = NAMES / "mobilenetv3_small_100.txt"

    def arguments(self) -> dict[str, Any]:
        return {"width": 0.25, "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(64)


class TestMobileNetV3Large(TestMobileNetV3Small):
    name = "mobilenetv3_large_100"
    parameter_names = NAMES / "mobilenetv3_large_100.txt"


class TestEfficientNet(ModelTests):
    name = "efficientnet_b0"
    parameter_names = NAMES / "efficientnet_b0.txt"

    def arguments(self) -> dict[str, Any]:
        return {"width": 0.25, "depth": 0.5, "num_classes": 5}

    def inputs(self) -> Tensor:
        return images(64)


SMALL = [
    ("resnet18", {"widths": [8, 8, 8, 8]}),
    ("convnext_tiny", {"depths": [1, 1, 1, 1], "widths": [8, 8, 8, 8]}),
    ("convnext_atto", {"depths": [1, 1, 1, 1], "widths": [8, 8, 8, 8]}),
    ("mobilenetv3_small_100", {"width": 0.25}),
    ("efficientnet_b0", {"width": 0.25}),
    ("resnet20", {"widths": [4, 4, 4]}),
    ("resnetv2_50", {"depths": [1, 1, 1, 1], "widths": [4, 4, 4, 4]}),
]


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_stochastic_depth_acts_in_training_alone(name: str, arguments: dict[str, Any]) -> None:
    model = zoo.create(name, drop_path_rate=0.9, **arguments)
    for module in model.modules():  # residual paths that start at zero would hide what is dropped
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(module.weight)
        if hasattr(module, "gamma"):
            torch.nn.init.ones_(module.gamma)
        if isinstance(module, torch.nn.Conv2d) and not module.weight.any():
            torch.nn.init.normal_(module.weight)
    inputs = images(64)
    with torch.no_grad():
        assert torch.equal(model.eval()(inputs), model(inputs))
        model.train()
        outputs = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            outputs.append(model(inputs))
    assert torch.equal(outputs[0], outputs[1]), "the draws are those of torch's global generator"
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize(("name", "arguments"), SMALL)
def test_checkpointing_changes_nothing_but_memory(name: str, arguments: dict[str, Any]) -> None:
    model = zoo.create(name, **arguments).train()
    inputs = images(64).requires_grad_()
    plain = torch.autograd.grad(model(inputs).square().sum(), inputs)[0]
    model.set_grad_checkpointing()
    assert torch.allclose(plain, torch.autograd.grad(model(inputs).square().sum(), inputs)[0], atol=1e-5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("resnet18", {"depths": [1, 0, 1, 1]}),
        ("resnet18", {"widths": [8, 8, 8]}),
        ("resnet18", {"block": "wide"}),
        ("resnet20", {"channels": 0}),
        ("resnetv2_50", {"widths": [8, 8, 8]}),
        ("vgg16", {"widths": [8, 8, 8, 8]}),
        ("vgg16", {"map_size": [7]}),
        ("vgg16", {"hidden_size": 0}),
        ("mobilenetv1_100", {"width": 9.0}),
        ("convnext_tiny", {"widths": [8]}),
        ("convnext_tiny", {"drop_path_rate": 1.0}),
        ("mobilenetv3_small_100", {"width": 0.0}),
        ("efficientnet_b0", {"depth": 9.0}),
    ],
)
def test_impossible_sizes_are_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(zoo.UsageError, match="refuses its arguments"):
        zoo.create(name, **arguments)


@pytest.mark.parametrize("name", zoo.list_models(family="cnn"))
def test_parameters_are_counted_and_layers_are_ordered(name: str) -> None:
    from zoo.engine.optimizers import _layers
    from zoo.registry.registry import default_registry
    from zoo.weights.build import build, full_arguments

    offer = default_registry().model(name)
    model = build(offer, full_arguments(offer, {}), device="meta")
    assert sum(parameter.numel() for parameter in model.parameters()) == offer.spec.parameters
    head = {f"{model.classifier_name}.weight", f"{model.classifier_name}.bias"}
    names = [parameter for parameter, _ in model.named_parameters() if parameter not in head]
    layers = _layers(model, names)
    with_the_head = {name for name in names if name.startswith(("head.norm.", "conv_head.", "pre_logits."))} - set(
        layers
    )
    assert set(layers) | with_the_head == set(names), "group_matcher places every parameter but the head's"
    order = [layers[parameter] for parameter in names if parameter in layers]
    assert order == sorted(order), "later layers get higher numbers"


@pytest.mark.parametrize("size", [(28, 28), (31, 64), (8, 200)])
def test_images_too_small_for_a_convnext_are_told_of(size: tuple[int, int]) -> None:
    model = zoo.create("convnext_atto", depths=[1, 1, 1, 1], widths=[8, 8, 8, 8], num_classes=2).eval()
    with pytest.raises(zoo.UsageError, match="images of 32 pixels a side or more; pretrain with --arg image_size=32"):
        model(torch.rand(1, 3, *size))
    assert model(torch.rand(1, 3, 32, 32)).shape == (1, 2)


def test_images_are_enlarged_for_a_model_without_a_size_of_its_own(tmp_path: Path) -> None:
    arguments = {"image_size": 32, "depths": [1, 1, 1, 1], "widths": [8, 8, 8, 8]}
    found = zoo.dry_run(
        "pretrain",
        "convnext_atto",
        recipe="supervised",
        data="fashion_mnist_sample",
        out=tmp_path / "run",
        arguments=arguments,
        settings={"steps": 1, "batch_size": 8},
    )
    assert found.batch_shape == (8, 1, 32, 32)


@pytest.mark.parametrize(("name", "count"), [("efficientnet_b0", 16), ("mobilenetv3_small_100", 12)])
def test_stochastic_depth_rises_by_the_share_of_blocks_before(name: str, count: int) -> None:
    """Expect what timm's builder gives: `rate * index / count` (1.0.31)."""
    model = zoo.create(name, drop_path_rate=0.2)
    found = [getattr(block.drop_path, "rate", 0.0) for block in model.blocks.modules() if hasattr(block, "drop_path")]
    assert found == pytest.approx([0.2 * index / count for index in range(len(found))])


def test_mobilenets_batch_norm_moves_as_in_the_library_of_the_weights() -> None:
    for arguments, momentum in (({}, 0.1), ({"norm_momentum": 0.01}, 0.01)):
        model = zoo.create("mobilenetv3_small_100", **arguments)
        norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        assert {norm.momentum for norm in norms} == {momentum}
    theirs = [layout.arguments for layout in MOBILENETV3 if layout.library == "torchvision"]
    assert theirs == [{"norm_eps": 1e-3, "norm_momentum": 0.01}] * 2
