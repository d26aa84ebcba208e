"""Layer decay gives every parameter timm's rate: recorded with timm 1.0.31; `make test-interop` compares all."""

from itertools import groupby

import pytest

import zoo

# Parameters in their order, as how many x how often their rate is decayed
BY_TIMM = {
    "resnet18": "3x9 6x8 6x7 9x6 6x5 9x4 6x3 9x2 6x1 2x0",
    "resnet50": "3x17 12x16 9x15 9x14 12x13 9x12 9x11 9x10 12x9 9x8 9x7 9x6 9x5 9x4 12x3 9x2 9x1 2x0",
    "convnext_atto": "4x13 9x12 9x11 13x10 9x9 13x8 9x7 9x6 9x5 9x4 9x3 13x2 9x1 4x0",
    "convnext_tiny": "4x19 9x18 9x17 9x16 13x15 9x14 9x13 13x12 9x11 9x10 9x9 9x8 9x7 9x6 9x5 9x4 13x3 9x2 9x1 4x0",
    "mobilenetv3_small_100": "3x13 10x12 9x11 9x10 13x9 13x8 13x7 13x6 13x5 13x4 13x3 13x2 3x1 4x0",
    "mobilenetv3_large_100": "3x17 6x16 9x15 9x14 13x13 13x12 13x11 9x10 9x9 9x8 9x7 13x6 13x5 13x4 13x3 13x2 3x1 4x0",
    "efficientnet_b0": (
        "3x17 10x16 13x15 13x14 13x13 13x12 13x11 13x10 13x9 13x8 13x7 13x6 13x5 13x4 13x3 13x2 16x1 2x0"
    ),
}


@pytest.mark.parametrize("name", BY_TIMM)
def test_every_parameter_has_timms_rate(name: str) -> None:
    model = zoo.create(name)
    settings = zoo.FinetuneSettings(learning_rate=1.0, weight_decay=0.05)
    groups = zoo.parameter_groups(model, settings, layer_decay=0.5)
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    depths = [rates[id(parameter)] for parameter in model.parameters()]
    runs = [(len(list(run)), rate) for rate, run in groupby(depths)]
    expected = [tuple(map(int, item.split("x"))) for item in BY_TIMM[name].split()]
    assert runs == [(count, 0.5**depth) for count, depth in expected]
