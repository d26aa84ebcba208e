"""The GANs are good citizens, in their default form, with classes, and in odd ones."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import zoo
from zoo.testing import ModelTests

NAMES = Path(__file__).parent / "names"


def pictures(count: int, channels: int, *size: int) -> Tensor:
    return torch.rand(count, channels, *size, generator=torch.Generator().manual_seed(0))


class TestDenseGAN(ModelTests):
    name = "dense_gan"
    parameter_names = NAMES / "dense_gan.txt"

    def inputs(self) -> Tensor:
        return pictures(4, 1, 28, 28)


class TestDenseGANWithClasses(ModelTests):
    name = "gan/dense_gan"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 6, "channels": 3, "hidden_size": 8, "latent_size": 5, "classes": 3}

    def inputs(self) -> Tensor:
        return pictures(4, 3, 6, 6)


class TestDCGAN(ModelTests):
    name = "dcgan"
    parameter_names = NAMES / "dcgan.txt"

    def arguments(self) -> dict[str, Any]:
        return {"width": 8}

    def inputs(self) -> Tensor:
        return pictures(4, 1, 28, 28)


class TestDCGANWithClasses(ModelTests):
    name = "dcgan"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 32, "channels": 3, "width": 4, "latent_size": 6, "classes": 3}

    def inputs(self) -> Tensor:
        return pictures(4, 3, 32, 32)


class TestDCGANWithSpectralNorm(ModelTests):
    name = "dcgan"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 16, "width": 4, "latent_size": 6, "classes": 2, "discriminator_norm": "spectral"}

    def inputs(self) -> Tensor:
        return pictures(4, 1, 16, 16)


class TestDCGANOnOtherSizesThanItMakes(ModelTests):
    """As a backbone it takes pictures of any size."""

    name = "dcgan"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 32, "channels": 3, "width": 4, "discriminator_norm": "none"}

    def inputs(self) -> Tensor:
        return pictures(2, 3, 35, 50)

    def test_samples_by_its_generator(self) -> None:
        assert self.model().sample(2).shape == (2, 3, 32, 32)


class TestResidualGAN(ModelTests):
    name = "residual_gan"
    parameter_names = NAMES / "residual_gan.txt"

    def arguments(self) -> dict[str, Any]:
        return {"width": 4}

    def inputs(self) -> Tensor:
        return pictures(4, 3, 32, 32)


class TestResidualGANWithClasses(ModelTests):
    name = "residual_gan"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 28, "channels": 1, "width": 4, "latent_size": 6, "classes": 3, "spectral_norm": False}

    def inputs(self) -> Tensor:
        return pictures(4, 1, 28, 28)


def test_the_textbook_sizes() -> None:
    model = zoo.create("dense_gan")
    shapes = [tuple(parameter.shape) for parameter in model.parameters()]
    assert shapes == [(128, 100), (128,), (784, 128), (784,), (128, 784), (128,), (1, 128), (1,)]


@pytest.mark.parametrize(
    ("size", "widths"), [(16, [4, 8]), (28, [4, 8]), (64, [4, 8, 16, 32]), (128, [4, 8, 16, 32, 64])]
)
def test_every_doubling_halves_the_width(size: int, widths: list[int]) -> None:
    model = zoo.create("dcgan", image_size=size, width=4)
    assert [stage.channels for stage in model.feature_info] == widths
    assert model.sample(2).shape == (2, 1, size, size)


def test_weights_of_a_dcgan_are_drawn_as_in_the_paper() -> None:
    model = zoo.create("dcgan", width=32)
    for name, weight in model.named_parameters():
        weight = weight.detach()
        if weight.ndim > 1 and weight.numel() > 2000:
            assert float(weight.mean()) == pytest.approx(0, abs=2e-3), name
            assert float(weight.std()) == pytest.approx(0.02, rel=0.1), name


@pytest.mark.parametrize(
    "arguments", [{"image_size": 30}, {"image_size": 8}, {"width": 0}, {"discriminator_norm": "x"}]
)
def test_what_cannot_be_built_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(zoo.UsageError, match="must be|invalid enum value"):
        zoo.create("dcgan", **arguments)


@pytest.mark.parametrize("name", ["dcgan", "residual_gan"])
def test_spectral_norm_bounds_the_discriminator_alone(name: str) -> None:
    asked = {"dcgan": {"discriminator_norm": "spectral"}, "residual_gan": {"spectral_norm": True}}[name]
    model = zoo.create(name, image_size=16, channels=1, width=4, classes=3, **asked).train()
    labels = torch.arange(4) % 3
    for _ in range(30):  # each forward pass takes one step towards the largest singular value
        model.discriminator(pictures(4, 1, 16, 16), labels)
    normed = [
        module for module in model.discriminator.modules() if isinstance(module, torch.nn.Conv2d | torch.nn.Linear)
    ]
    for module in normed:
        assert float(torch.linalg.matrix_norm(module.weight.detach().flatten(1), 2)) == pytest.approx(1, rel=0.05)
    assert not any("parametrizations" in key for key in model.generator.state_dict())


def test_classes_decide_pictures_and_scores() -> None:
    model = zoo.create("dcgan", image_size=16, width=4, classes=3).eval()
    same, other = torch.tensor([1, 1]), torch.tensor([1, 2])
    latents = torch.randn(1, 100).expand(2, -1)
    images = model.generator(latents, same)
    assert torch.equal(images[0], images[1]), "one latent and one class make one picture"
    assert not torch.equal(*model.generator(latents, other))
    of_same, of_other = model.discriminator(images, same), model.discriminator(images, other)
    assert torch.equal(of_same[0], of_other[0]) and not torch.equal(of_same[1], of_other[1])
    with pytest.raises(ValueError, match="give labels"):
        model.generator(latents)


def test_the_latent_cannot_fade_beside_the_class() -> None:
    model = zoo.create("dcgan", image_size=16, width=4, classes=3).train()
    latents, labels = torch.randn(6, 100), torch.arange(6) % 3
    before = model.generator(latents, labels)
    with torch.no_grad():
        model.generator.body.stages[0][0].weight.mul_(0.2)
    torch.testing.assert_close(model.generator(latents, labels), before, atol=1e-2, rtol=0)


def test_checkpointing_changes_nothing_but_memory() -> None:
    model = zoo.create("residual_gan", image_size=16, channels=1, width=4, spectral_norm=False).train()
    images = pictures(4, 1, 16, 16)
    plain = model.discriminator(images)
    model.set_grad_checkpointing()
    assert torch.allclose(plain, model.discriminator(images), atol=1e-6)
    model.generator(torch.randn(4, 128)).sum().backward()


def test_the_head_sees_where_things_lie() -> None:
    model: Any = zoo.create("dcgan", width=4, pool_size=2)
    features = torch.zeros(1, 8, 7, 7)
    features[0, 5, :4, 3:] = 1
    pooled = model.forward_head(features, pre_logits=True)
    assert model.num_features == 8 * 4 and pooled.view(8, 2, 2)[5].tolist() == [[0.25, 1], [0.0625, 0.25]]
