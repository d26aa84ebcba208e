"""Tensors whose axes another library has in another order, joined or apart, or counts backwards."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from zoo.specs.layouts import Layout, Rename
from zoo.weights.foreign.foreign_weights import ForeignWeights
from zoo.weights.foreign.grouping import axes_of, grouped, header_of
from zoo.weights.header import TensorHeader

LAYOUT = Layout(
    library="theirs",
    models={},
    stem="stem.weight",
    classifier="head.weight",
    renames=(
        Rename("conv.0", "stem.weight", axes=(3, 2, 0, 1), reversed=1),
        Rename("wide.0", "wide.weight", 4, axes=(3, 2, 0, 1)),
        *(Rename(f"{name}.0", "qkv.weight", part=(place, 3), axes=((1, 2), 0)) for place, name in enumerate("qkv")),
        *(Rename(f"{name}.1", "qkv.bias", part=(place, 3), axes=((0, 1),)) for place, name in enumerate("qkv")),
        Rename("table.0", "table", axes=((), 0, 1)),
        Rename("flat.0", "over_a_map.weight", 2),
    ),
)
THEIRS: dict[str, tuple[int, ...]] = {
    "conv.0": (3, 5, 3, 8),
    "wide.0": (1, 1, 8, 6),
    **{f"{name}.0": (8, 2, 4) for name in "qkv"},
    **{f"{name}.1": (2, 4) for name in "qkv"},
    "table.0": (7, 8),
    "flat.0": (6, 24),
}
OURS = {
    "stem.weight": (8, 3, 3, 5),
    "wide.weight": (6, 8),
    "qkv.weight": (24, 8),
    "qkv.bias": (24,),
    "table": (1, 7, 8),
    "over_a_map.weight": (6, 2, 3, 4),
}


def loaded() -> tuple[dict[str, Any], dict[str, Any]]:
    source = {name: torch.randn(shape) for name, shape in THEIRS.items()}
    found = {name: TensorHeader("F32", shape) for name, shape in THEIRS.items()}
    groups = grouped(found, LAYOUT)
    headers = {name: header_of(group, found, OURS[name]) for name, group in groups.items()}
    assert {name: header.shape for name, header in headers.items()} == OURS
    foreign = ForeignWeights(
        block=None,  # type: ignore[arg-type]
        layout=LAYOUT,
        stored=SimpleNamespace(path=Path(), headers=found, load=lambda device: source),  # type: ignore[arg-type]
        headers=headers,
        names={name: [theirs for _, theirs in group] for name, group in groups.items()},
        axes={name: axes for name, group in groups.items() if (axes := axes_of(group, found))},
        backwards={"stem.weight": 1},
        left_out=(),
    )
    return source, foreign.load()


def test_axes_are_put_in_our_order_and_channels_the_other_way_round() -> None:
    source, ours = loaded()
    assert torch.equal(ours["stem.weight"], source["conv.0"].permute(3, 2, 0, 1).flip(1))
    assert torch.equal(ours["wide.weight"], source["wide.0"][0, 0].t())
    assert torch.equal(ours["table"], source["table.0"][None])


def test_a_convolution_over_a_map_is_a_linear_layer_elsewhere() -> None:
    source, ours = loaded()
    x = torch.randn(2, 2, 3, 4)
    found = torch.nn.functional.conv2d(x, ours["over_a_map.weight"]).flatten(1)
    torch.testing.assert_close(found, torch.nn.functional.linear(x.flatten(1), source["flat.0"]))
    other = header_of(*grouped_header((6, 25)), OURS["over_a_map.weight"])
    assert other.shape == (6, 25), "another number of inputs stays as it is, and is named as a wrong shape"


def grouped_header(shape: tuple[int, ...]) -> Any:
    found = {"flat.0": TensorHeader("F32", shape)}
    return grouped(found, LAYOUT)["over_a_map.weight"], found


def test_heads_that_lie_apart_are_joined() -> None:
    source, ours = loaded()
    x = torch.randn(2, 8)
    wanted = [torch.einsum("bi,ihd->bhd", x, source[f"{name}.0"]) + source[f"{name}.1"] for name in "qkv"]
    found = torch.nn.functional.linear(x, ours["qkv.weight"], ours["qkv.bias"]).reshape(2, 3, 2, 4)
    torch.testing.assert_close(found, torch.stack(wanted, 1))


def test_what_a_container_keeps_is_left_to_it() -> None:
    source, _ = loaded()
    assert source.keys() == THEIRS.keys()


@pytest.mark.parametrize("shape", [(3, 3), (3, 5, 3, 8, 1)])
def test_a_tensor_of_other_dimensions_stays_as_it_is(shape: tuple[int, ...]) -> None:
    found = {"conv.0": TensorHeader("F32", shape)}
    (group,) = grouped(found, LAYOUT).values()
    assert axes_of(group, found) is None
    assert header_of(group, found, (8, 3, 3, 5)).shape == shape
