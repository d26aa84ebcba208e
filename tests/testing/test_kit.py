"""The conformance suite lets a good citizen pass, and catches one that is not."""

from typing import Any

import pytest
import torch

from zoo.testing import ModelTests

HEAD = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="odd", family="cnn", summary="odd", target="zoo_odd:make")

def make(*, width: int = 3):
    import torch
    {statement}
    return torch.nn.Linear(width, width)
"""


class Odd(ModelTests):
    name = "odd"

    def inputs(self) -> torch.Tensor:
        return torch.rand(2, 3)


@pytest.mark.parametrize(
    ("statement", "test"),
    [
        ("torch.manual_seed(0)", "test_creation_seeds_nothing"),
        ("torch.set_num_threads(1)", "test_creation_leaves_threads_alone"),
    ],
)
def test_071_global_state_is_left_alone(site: Any, statement: str, test: str) -> None:
    site.install("zoo-odd", HEAD.format(statement=statement))
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(AssertionError, match="a model does not"):
            getattr(Odd(), test)()
    finally:
        torch.set_num_threads(threads)


def test_a_model_that_touches_nothing_passes(site: Any) -> None:
    site.install("zoo-odd", HEAD.format(statement="pass"))
    Odd().test_creation_seeds_nothing()
    Odd().test_creation_leaves_threads_alone()
    Odd().test_forward_is_finite()


def test_importing_torch_on_offer_is_caught(site: Any) -> None:
    site.install("zoo-odd", "import torch\n" + HEAD.format(statement="pass"))
    with pytest.raises(AssertionError, match="import torch inside"):
        Odd().test_offered_without_torch()
