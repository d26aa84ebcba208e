"""Pairs of patterns translate names both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.specs.layouts import Rename
from zoo.weights.foreign.renaming import matches, parts_of, to_ours, to_theirs

RENAMES = (
    Rename("[net.]stages.{stage}.layers.{n}.convolution", "layer{stage+1}.{n}.conv{n+1}"),
    Rename("[net.]embedder", "stem", 3),
    Rename("features.1.{b}", "first.{b}"),
    Rename("features.{stage+1}.{b}", "later.{stage}.{b}"),
)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("net.stages.2.layers.0.convolution.weight", "layer3.0.conv1.weight"),
        ("net.embedder", "stem"),
        ("features.1.4.bias", "first.4.bias"),
        ("features.3.4.bias", "later.2.4.bias"),
        ("head.fc.weight", "head.fc.weight"),
        ("embedders.weight", "embedders.weight"),
    ],
)
def test_both_ways(theirs: str, ours: str) -> None:
    assert to_ours(theirs, RENAMES).name == ours
    assert to_theirs(ours, RENAMES).name == theirs


def test_what_stands_in_brackets_may_be_missing() -> None:
    assert to_ours("embedder.weight", RENAMES).name == "stem.weight"


def test_one_number_has_one_value() -> None:
    assert to_theirs("layer3.0.conv4.weight", RENAMES).name == "layer3.0.conv4.weight"


def test_no_number_below_zero() -> None:
    assert to_theirs("layer0.0.conv1.weight", RENAMES).name == "layer0.0.conv1.weight"


def test_dimensions_come_with_the_name() -> None:
    assert to_ours("net.embedder.weight", RENAMES).dims == 3
    assert to_theirs("stem.weight", RENAMES).dims == 3
    assert to_ours("head", RENAMES).dims is None


JOINED = (
    Rename("[net.]layer.{n}.norm.weight", "blocks.{n}.norm.weight"),
    Rename("[net.]layer.{n}.norm.gamma", "blocks.{n}.norm.weight"),
    Rename("layer.{n}.query", "blocks.{n}.qkv", part=(0, 3)),
    Rename("layer.{n}.key", "blocks.{n}.qkv", part=(1, 3)),
    Rename("layer.{n}.value", "blocks.{n}.qkv", part=(2, 3)),
    Rename("layer.{n}.out", "blocks.{n}.out", transposed=True),
)


def test_several_of_theirs_are_one_of_ours() -> None:
    theirs = [f"layer.4.{part}.bias" for part in ("query", "key", "value")]
    assert [part.name for part in parts_of("blocks.4.qkv.bias", JOINED)] == theirs
    found = [to_ours(name, JOINED) for name in theirs]
    assert {item.name for item in found} == {"blocks.4.qkv.bias"}
    assert [item.part for item in found] == [(0, 3), (1, 3), (2, 3)]


def test_of_several_names_the_first_is_written() -> None:
    assert to_ours("layer.0.norm.gamma", JOINED).name == "blocks.0.norm.weight"
    assert [part.name for part in parts_of("blocks.0.norm.weight", JOINED)] == ["net.layer.0.norm.weight"]


def test_that_matrices_are_turned_comes_with_the_name() -> None:
    assert to_ours("layer.0.out.weight", JOINED).axes == (1, 0)
    assert parts_of("blocks.0.out.weight", JOINED)[0].axes == (1, 0)
    assert to_ours("layer.0.key.weight", JOINED).axes is None


def test_names_that_are_ignored() -> None:
    ignored = ("h.{n}.attn.bias", "[net.]pooler")
    assert matches("h.11.attn.bias", ignored)
    assert matches("pooler.dense.weight", ignored) and matches("net.pooler", ignored)
    assert not matches("h.11.attn.bias2", ignored)
    assert not matches("head", ignored)


@given(st.text(max_size=200))
def test_any_name_is_translated(name: str) -> None:
    assert isinstance(to_ours(name, RENAMES).name, str)


@given(st.integers(0, 999_999), st.integers(0, 999_998))
def test_there_and_back(stage: int, layer: int) -> None:
    theirs = f"net.stages.{stage}.layers.{layer}.convolution.weight" if stage < 999_999 else "net.embedder"
    assert to_theirs(to_ours(theirs, RENAMES).name, RENAMES).name == theirs
