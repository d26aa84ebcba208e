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


SAMPLER = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="odd", family="gan", summary="odd", target="zoo_odd:make", capabilities=("sample",))

def make(*, width: int = 3):
    import torch

    class Odd(torch.nn.Linear):
        def sample(self, n, *, generator=None):
            return {statement}

    return Odd(width, width)
"""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("torch.rand(n, 3)", "comes from its generator"),
        ("torch.full((n, 3), 0.5)", "another generator gives other pictures"),
        ("torch.rand(n, 3, generator=generator) * 3 - 1", r"pixels in \[0, 1\]"),
        ("torch.rand(n, 4, generator=generator)", "of the shape that the model takes"),
    ],
)
def test_samples_that_are_not_what_was_asked_for_are_caught(site: Any, statement: str, said: str) -> None:
    site.install("zoo-odd", SAMPLER.format(statement=statement))
    with pytest.raises(AssertionError, match=said):
        Odd().test_samples_by_its_generator()


def test_samples_by_the_generator_pass(site: Any) -> None:
    site.install("zoo-odd", SAMPLER.format(statement="torch.rand(n, 3, generator=generator)"))
    Odd().test_samples_by_its_generator()
