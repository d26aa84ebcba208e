"""A net that a stranger offers in three layouts, and how each of them says so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from zoo.specs.layouts import Layout, Rename
from zoo.weights.folder import load_weights


class Net(nn.Module):
    def __init__(self, *, width: int = 4, channels: int = 3, num_classes: int = 2, eps: float = 1e-5) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel_size=3)
        self.norm = nn.BatchNorm2d(width, eps=eps)
        self.scale = nn.Parameter(torch.ones(width))
        self.fc = nn.Linear(width, num_classes) if num_classes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        features = self.norm(self.conv(x)) * self.scale[:, None, None]
        return self.fc(features.mean((2, 3)))


TENSORS: dict[str, Any] = {"stem": "conv.weight", "classifier": "fc.weight"}
LAYOUTS = (
    Layout(library="timm", models={"net": {"architecture": "net"}}, options={"eps": "bn_eps"}, **TENSORS),
    Layout(
        library="transformers",
        models={"net": {"hidden_size": 4}},
        config={"model_type": "net", "hidden_act": "relu"},
        renames=(
            Rename("[net.]embedder.convolution", "conv"),
            Rename("[net.]embedder.normalization", "norm"),
            Rename("[net.]layer_scale", "scale", 3),
            Rename("classifier", "fc"),
        ),
        **TENSORS,
    ),
    Layout(library="author", models={"net": {}}, renames=(Rename("linear", "fc"),), labels=("cat", "dog"), **TENSORS),
)


Written = Callable[..., Path]
TIMM = {"architecture": "net", "num_classes": 2, "num_features": 4, "pretrained_cfg": {"input_size": [3, 8, 9]}}
TRANSFORMERS = {"model_type": "net", "hidden_size": 4, "hidden_act": "relu", "id2label": {"0": "ant", "1": "bee"}}
THEIR_NAMES = {"conv": "net.embedder.convolution", "norm": "net.embedder.normalization", "fc": "classifier"}


def equal(net: Net, place: Path) -> bool:
    inputs = torch.rand(2, 3, 5, 5)
    with torch.no_grad():
        return torch.equal(net(inputs), load_weights(place)(inputs))
