"""A model of other channels than its weights have."""

import pytest
import torch

import zoo.registry.registry
import zoo.weights.folder
import zoo.weights.foreign.recognize
from tests.weights.foreign.nets import Net, Written
from zoo.errors import UsageError
from zoo.weights.config import read_config
from zoo.weights.folder import load_weights
from zoo.weights.stem import with_channels


@pytest.mark.parametrize(("channels", "places"), [(1, None), (2, [0, 1]), (7, [0, 1, 2, 0, 1, 2, 0])])
def test_other_channels_adapt_the_stem(channels: int, places: list[int] | None, net: Net, written: Written) -> None:
    folder = written({})
    block = read_config(folder)
    offer = zoo.weights.foreign.recognize.default_registry().model("net")
    adapted = with_channels(load_weights(folder, block), offer, block.arguments, channels)
    before = net.conv.weight
    wanted = before.sum(1, keepdim=True) if places is None else before[:, places] * 3 / channels
    assert torch.allclose(adapted.conv.weight, wanted, atol=1e-6)
    assert torch.equal(adapted.norm.running_var, net.norm.running_var)
    assert adapted(torch.rand(2, channels, 5, 5)).shape == (2, 2)


def test_a_grey_picture_gives_what_it_gave(net: Net, written: Written) -> None:
    folder = written({})
    block = read_config(folder)
    offer = zoo.weights.foreign.recognize.default_registry().model("net")
    adapted = with_channels(load_weights(folder, block), offer, block.arguments, 1)
    grey = torch.rand(2, 1, 5, 5)
    assert torch.allclose(adapted(grey), net(grey.expand(-1, 3, -1, -1)), atol=1e-5)


def test_channels_of_a_model_that_has_none(written: Written) -> None:
    folder = written({})
    offer = zoo.weights.foreign.recognize.default_registry().model("net")
    with pytest.raises(UsageError, match="no argument channels"):
        with_channels(load_weights(folder), offer, {"width": 4}, 1)
    with pytest.raises(UsageError, match="channels=0 is not a valid number of channels"):
        with_channels(load_weights(folder), offer, {"channels": 3}, 0)
