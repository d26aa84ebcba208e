"""A function as a graph, of operations that the runtimes know."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram


def exported(function: nn.Module, example: Sequence[Tensor], free: Sequence[tuple[int, ...]]) -> ExportedProgram:
    """Return the graph of a function, for tensors of other sizes along the axes that are free."""
    shapes = (tuple({axis: Dim.AUTO for axis in axes} for axes in free),)
    program = torch.export.export(_Positional(function), tuple(example), dynamic_shapes=shapes)
    found: ExportedProgram = program.run_decompositions({torch.ops.aten.cummax.default: _cummax})
    return found


class _Positional(nn.Module):
    """A function of any number of tensors: the exporter asks for sizes in the form of the signature."""

    def __init__(self, function: nn.Module) -> None:
        super().__init__()
        self.function = function

    def forward(self, *tensors: Tensor) -> Sequence[Tensor]:
        found: Sequence[Tensor] = self.function(*tensors)
        return found


@contextmanager
def quiet() -> Iterator[None]:
    """Leave out what exporters say about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _cummax(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return cummax, which neither ONNX nor OpenVINO has, as a maximum over all that come before."""
    x = x.movedim(dim, -1)
    places = torch.arange(x.shape[-1], device=x.device)
    before = places[:, None] >= places
    least = -torch.inf if x.is_floating_point() else torch.iinfo(x.dtype).min
    values, indices = torch.where(before, x[..., None, :], least).max(-1)
    return values.movedim(-1, dim), indices.movedim(-1, dim)
