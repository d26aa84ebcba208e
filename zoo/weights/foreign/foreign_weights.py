"""Weights of another library under our names: what headers tell of them, and their tensors turned into ours."""

import logging
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from zoo.printable import counted
from zoo.specs.containers import Container
from zoo.specs.layouts import Layout
from zoo.weights.description import WeightsDescription
from zoo.weights.header import TensorHeader
from zoo.weights.stored import JoinedTensors, StoredTensors

_log = logging.getLogger("zoo")
Stored = StoredTensors | JoinedTensors | Container


@dataclass(frozen=True)
class ForeignWeights:
    """Weights of another library, described as Zoo would from the layout that they are in.

    `headers` go by our names, `names` from ours to theirs, of which several are joined, `axes` say of ours whose axes
    theirs have in another order which those are, `backwards` along which they count from the end, and `left_out` are
    theirs without a place here. `assumed` is what no file says, and may be wrong.
    """

    block: WeightsDescription
    layout: Layout
    stored: Stored
    headers: dict[str, TensorHeader]
    names: dict[str, list[str]]
    axes: dict[str, tuple[tuple[int, ...], ...]]
    backwards: dict[str, int]
    left_out: tuple[str, ...]
    assumed: str = ""

    @property
    def path(self) -> Path:
        """Return the file that says where the tensors lie."""
        return self.stored.path

    def load(self, device: str | torch.device = "cpu") -> dict[str, Tensor]:
        """Map the files, and name and shape their tensors as ours; a note says what is left out."""
        if self.left_out:
            some = ", ".join(self.left_out[:3]) + (", …" if len(self.left_out) > 3 else "")
            _log.warning("ignored %s that the model does not have (%s)", counted(len(self.left_out), "tensor"), some)
        if self.assumed:
            _log.warning("%s: %s", self.path, self.assumed)
        source = dict(self.stored.load(device))
        tensors = {}
        for target, (first, *others) in self.names.items():
            # what was converted is let go at once, so that a file is never in memory twice
            parts = [self._turned(target, source.pop(name)) for name in (first, *others)]
            tensor = torch.cat(parts) if others else parts[0]
            if target in self.backwards:
                tensor = tensor.flip(self.backwards[target])
            tensors[target] = tensor.reshape(self.headers[target].shape)
        counters = self.headers.keys() - self.names.keys()
        return tensors | {name: torch.zeros((), dtype=torch.int64, device=device) for name in counters}

    def _turned(self, target: str, tensor: Tensor) -> Tensor:
        """Return their tensor with its axes in the order of ours."""
        axes = self.axes.get(target)
        if axes is None:
            return tensor
        moved = tensor.permute([axis for joined in axes for axis in joined])
        return moved.reshape([math.prod(tensor.shape[axis] for axis in joined) for joined in axes]).contiguous()
