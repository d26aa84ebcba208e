"""`zoo sample`."""

from typing import Any


def test_a_grid_and_each_by_itself(trained: str, says: Any) -> None:
    said = says("sample", trained, "-n", "2", "--each", "--out", "made")
    assert said.splitlines() == ["made/samples.png", "made/sample-0.png", "made/sample-1.png"]


def test_weights_that_cannot(tiny: None, says: Any) -> None:
    assert says("sample", "weights", "--out", "made", code=2) == (
        "zoo: weights holds 'tiny', which cannot be sampled; `zoo list --capability sample` lists models that can\n"
    )
