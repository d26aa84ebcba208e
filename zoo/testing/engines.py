"""What is asked of every engine: that it computes what eager mode does, for as many items as there are."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.errors import UsageError
from zoo.registry.loading import load_named
from zoo.registry.registry import Offer, default_registry
from zoo.specs.records import EngineSpec


class EngineTests:
    """Inherit, and set `name`. An engine that says by a UsageError what it lacks on this machine is skipped."""

    name: str

    @property
    def offer(self) -> Offer[EngineSpec]:
        """The engine as the registry offers it."""
        return default_registry().engine(self.name)

    def compute(
        self, function: nn.Module, example: Sequence[Tensor], free: Sequence[tuple[int, ...]]
    ) -> Callable[..., Any]:
        """Return what the engine makes of a function."""
        with torch.inference_mode():
            try:
                made: Callable[..., Any] = load_named(self.offer, "target")(function.eval(), example, free)
            except UsageError as error:
                pytest.skip(str(error))
        return made

    def test_images_in_any_number(self) -> None:
        function = _Images()
        before = {name: tensor.clone() for name, tensor in function.state_dict().items()}
        computed = self.compute(function, [_random(2, 3, 8, 8)], [(0,)])
        for count in (2, 1, 5):
            _check(computed, function, _random(count, 3, 8, 8))
        after = function.state_dict()
        assert before.keys() == after.keys(), "the function keeps its parameters' names"
        assert all(torch.equal(before[name], after[name]) for name in before), "the function keeps its parameters"

    def test_tokens_in_any_number(self) -> None:
        function = _Tokens()
        computed = self.compute(function, [*_tokens(2, 5)], [(0, 1), (0, 1)])
        for count, length in ((2, 5), (3, 9), (1, 2)):
            _check(computed, function, *_tokens(count, length))


class _Images(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.convolution, self.norm, self.head = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 5)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        x = F.relu(self.norm(self.convolution(images)))
        return self.head(x.mean((2, 3))), x


class _Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.words, self.norm, self.head = nn.Embedding(11, 8), nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        x = self.norm(self.words(tokens))[:, None]
        seen = F.scaled_dot_product_attention(x, x, x, attn_mask=mask[:, None, None].bool())[:, 0]
        return (self.head((seen * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)),)


def _random(*size: int) -> Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(sum(size)))


def _tokens(count: int, length: int) -> tuple[Tensor, Tensor]:
    mask = torch.ones(count, length, dtype=torch.int64)
    mask[0, length - 1] = 0
    return torch.arange(count * length).reshape(count, length) % 11, mask


def _check(computed: Callable[..., Any], function: nn.Module, *tensors: Tensor) -> None:
    with torch.inference_mode():
        found, wanted = list(computed(*tensors)), function(*tensors)
    assert len(found) == len(wanted), "an engine returns every output"
    for one, other in zip(found, wanted, strict=True):
        assert isinstance(one, Tensor) and one.dtype == other.dtype, "an engine returns tensors of the same type"
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
