"""Both autoencoders are good citizens, in their default form and in odd ones."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from zoo_autoencoder.vector_quantized import straight_through

import zoo
from zoo.testing import ModelTests

NAMES = Path(__file__).parent / "names"


class TestDenseAutoencoder(ModelTests):
    name = "dense_autoencoder"
    parameter_names = NAMES / "dense_autoencoder.txt"

    def inputs(self) -> Tensor:
        return torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class TestDenseAutoencoderWithHiddenLayers(ModelTests):
    name = "autoencoder/dense_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": [6, 9], "channels": 3, "hidden_sizes": [40, 20], "code_size": 5}

    def inputs(self) -> Tensor:
        return torch.rand(4, 3, 6, 9, generator=torch.Generator().manual_seed(0))

    def test_feature_info_tells_the_truth(self) -> None:
        pytest.skip("one map of size 1x1 for a picture that is not square has no reduction in both directions")


class TestConvAutoencoder(ModelTests):
    name = "conv_autoencoder"
    parameter_names = NAMES / "conv_autoencoder.txt"

    def inputs(self) -> Tensor:
        return torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class TestConvAutoencoderOfAnOddSize(ModelTests):
    name = "conv_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": [33, 50], "channels": 3, "widths": [4, 8], "code_size": 7}

    def inputs(self) -> Tensor:
        return torch.rand(4, 3, 33, 50, generator=torch.Generator().manual_seed(0))


def test_the_textbook_sizes() -> None:
    model = zoo.create("dense_autoencoder")
    assert [tuple(parameter.shape) for parameter in model.parameters()] == [(64, 784), (64,), (784, 64), (784,)]


@pytest.mark.parametrize("arguments", [{"code_size": 0}, {"image_size": 0}, {"widths": [4, 0]}])
def test_sizes_below_one_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(zoo.UsageError, match="1 or more"):
        zoo.create("conv_autoencoder", **arguments)


def test_checkpointing_changes_nothing_but_memory() -> None:
    model = zoo.create("conv_autoencoder", image_size=16, widths=[4, 8]).train()
    images = torch.rand(4, 1, 16, 16)
    plain = model.reconstruct(images)
    model.set_grad_checkpointing()
    assert torch.allclose(plain, model.reconstruct(images), atol=1e-6)


class TestVariationalAutoencoder(ModelTests):
    name = "variational_autoencoder"
    parameter_names = NAMES / "variational_autoencoder.txt"

    def inputs(self) -> Tensor:
        return torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))


class TestDenseVariationalAutoencoder(ModelTests):
    name = "variational_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": 12, "channels": 3, "hidden_sizes": [40, 20], "code_size": 5}

    def inputs(self) -> Tensor:
        return torch.rand(4, 3, 12, 12, generator=torch.Generator().manual_seed(0))


class TestVectorQuantizedAutoencoder(ModelTests):
    name = "vector_quantized_autoencoder"
    parameter_names = NAMES / "vector_quantized_autoencoder.txt"

    def arguments(self) -> dict[str, Any]:
        return {"image_size": [13, 22], "widths": [4, 8], "code_size": 6, "codebook_size": 10}

    def inputs(self) -> Tensor:
        return torch.rand(4, 1, 13, 22, generator=torch.Generator().manual_seed(0))


class TestTinyAutoencoder(ModelTests):
    name = "tiny_autoencoder"
    parameter_names = NAMES / "tiny_autoencoder.txt"

    def inputs(self) -> Tensor:
        return torch.rand(2, 3, 19, 32, generator=torch.Generator().manual_seed(0))


class TestTinyAutoencoderWithMiddleBlocks(ModelTests):
    name = "tiny_autoencoder"

    def arguments(self) -> dict[str, Any]:
        return {"channels": 1, "latent_channels": 32, "middle_blocks": True}

    def inputs(self) -> Tensor:
        return torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))


def test_samples_are_the_generators() -> None:
    model: Any = zoo.create("variational_autoencoder", image_size=12, widths=[4, 8], code_size=5).eval()
    with torch.no_grad():
        first, again, other = (model.sample(3, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.shape == (3, 1, 12, 12) and 0 <= first.min() and first.max() <= 1
    assert torch.equal(first, again) and not torch.equal(first, other)


@pytest.mark.parametrize("name", ["dense_autoencoder", "conv_autoencoder", "variational_autoencoder"])
def test_interpolation_begins_and_ends_at_the_reconstructions(name: str) -> None:
    model: Any = zoo.create(name, image_size=12, code_size=5).eval()
    first, second = torch.rand(2, 3, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        between = model.interpolate(first, second, 5)
        assert between.shape == (5, 3, 1, 12, 12)
        assert torch.allclose(between[0], model.reconstruct(first), atol=1e-6)
        assert torch.allclose(between[-1], model.reconstruct(second), atol=1e-6)


def test_entries_are_the_nearest_and_gradients_pass_them() -> None:
    model: Any = zoo.create("vector_quantized_autoencoder", image_size=12, widths=[4, 8], code_size=3, codebook_size=7)
    codes = torch.randn(2, 3, 4, 4, requires_grad=True)
    indices = model.indices(codes)
    distances = torch.cdist(codes.detach().movedim(1, -1).reshape(-1, 3), model.codebook)
    assert torch.equal(indices.flatten(), distances.argmin(1))
    straight_through(codes, model.entries(indices)).sum().backward()
    assert codes.grad is not None and bool((codes.grad == 1).all())


def test_two_kinds_of_layers_are_refused() -> None:
    with pytest.raises(zoo.UsageError, match="not both"):
        zoo.create("variational_autoencoder", widths=[4], hidden_sizes=[4])


def test_the_head_sees_where_things_lie() -> None:
    model: Any = zoo.create("conv_autoencoder", image_size=28, pool_size=2)
    features = torch.zeros(1, 128, 4, 4)
    features[0, 5, :2, 2:] = 1
    pooled = model.forward_head(features, pre_logits=True)
    assert model.num_features == 128 * 4 and pooled.view(128, 2, 2)[5].tolist() == [[0, 1], [0, 0]]
