"""TensorFlow's "same" padding, and the options by which ResNet is that of Keras Applications."""

import pytest
import torch
import torch.nn.functional as F
from zoo_cnn.padding import SameConv2d, convolution

import zoo


# what tf.nn.conv2d pads before and behind (its formula): size, kernel, stride
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "before", "behind"),
    [(8, 3, 2, 0, 1), (9, 3, 2, 1, 1), (8, 5, 2, 1, 2), (9, 5, 2, 2, 2), (7, 3, 3, 1, 1), (6, 2, 4, 0, 0)],
)
def test_what_is_padded_is_what_tensorflow_pads(size: int, kernel: int, stride: int, before: int, behind: int) -> None:
    layer = SameConv2d(2, 3, kernel, stride)
    x = torch.randn(1, 2, size, size)
    padded = F.pad(x, (before, behind, before, behind))
    torch.testing.assert_close(layer(x), F.conv2d(padded, layer.weight, layer.bias, stride))
    assert layer(x).shape[-1] == -(-size // stride)


def test_without_a_stride_both_paddings_are_one() -> None:
    assert type(convolution(2, 3, 5, 1, "same")) is torch.nn.Conv2d
    with pytest.raises(ValueError, match="padding must be symmetric, same or behind, not 'valid'"):
        convolution(2, 3, 5, 1, "valid")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [8, 9])
def test_behind_is_same_as_even_maps_have_it(size: int) -> None:
    layer = convolution(2, 2, 3, 2, "behind", groups=2)
    x = torch.randn(1, 2, size, size)
    torch.testing.assert_close(layer(x), F.conv2d(F.pad(x, (0, 1, 0, 1)), layer.weight, None, 2, groups=2))
    assert layer(x).shape[-1] == size // 2
    if size == 8:
        same = SameConv2d(2, 2, 3, 2, groups=2, bias=False)
        same.load_state_dict(layer.state_dict())
        assert torch.equal(same(x), layer(x))


@pytest.mark.parametrize("name", ["mobilenetv2_100", "mobilenetv3_small_100", "efficientnet_b0"])
def test_same_padding_changes_nothing_but_places(name: str) -> None:
    symmetric, same = (zoo.create(name, num_classes=0, padding=padding) for padding in ("symmetric", "same"))
    same.load_state_dict(symmetric.state_dict())
    images = torch.randn(1, 3, 48, 33)
    maps = [model.eval().forward_intermediates(images)[1] for model in (symmetric, same)]
    assert [map_.shape for map_ in maps[0]] == [map_.shape for map_ in maps[1]]


def test_the_first_resnet_strides_in_its_first_1x1() -> None:
    model = zoo.create("resnet50", num_classes=0, stride_in_1x1=True, conv_bias=True, norm_eps=1.001e-5)
    block = model.layer2[0]
    assert (block.conv1.stride, block.conv2.stride) == ((2, 2), (1, 1))
    assert block.conv3.bias is not None and not block.conv3.bias.any()
    assert {module.eps for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)} == {1.001e-5}
