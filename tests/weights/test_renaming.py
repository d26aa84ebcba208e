"""Pairs of patterns translate names both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoo.layouts import Rename
from zoo.weights.renaming import to_ours, to_theirs

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


@given(st.text(max_size=200))
def test_any_name_is_translated(name: str) -> None:
    assert isinstance(to_ours(name, RENAMES).name, str)


@given(st.integers(0, 999_999), st.integers(0, 999_998))
def test_there_and_back(stage: int, layer: int) -> None:
    theirs = f"net.stages.{stage}.layers.{layer}.convolution.weight" if stage < 999_999 else "net.embedder"
    assert to_theirs(to_ours(theirs, RENAMES).name, RENAMES).name == theirs
