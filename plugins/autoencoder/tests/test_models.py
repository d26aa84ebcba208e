"""Both autoencoders are good citizens, in their default form and in odd ones."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

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
