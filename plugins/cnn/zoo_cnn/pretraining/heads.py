"""Heads on pooled features that take part in training alone and are not exported."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ProjectionHead(nn.Module):
    """A perceptron of one hidden layer with batch norm and ReLU, without biases (Chen et al., 2020)."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(inputs, hidden, bias=False)
        self.norm = nn.BatchNorm1d(hidden)
        self.output = nn.Linear(hidden, outputs, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        projected: Tensor = self.output(F.relu(self.norm(self.hidden(features))))
        return projected


class PrototypeHead(nn.Module):
    """Cosines to prototypes, after a perceptron with a narrow end (Caron et al., 2021, appendix C).

    The prototypes have length 1, which is the paper's weight norm with its gain held at 1.
    """

    def __init__(self, inputs: int, hidden: int, bottleneck: int, prototypes: int) -> None:
        super().__init__()
        self.projection = ProjectionHead(inputs, hidden, bottleneck)
        self.prototypes = nn.Parameter(torch.randn(prototypes, bottleneck) / bottleneck**0.5)

    def forward(self, features: Tensor) -> Tensor:
        return F.linear(F.normalize(self.projection(features), dim=1), F.normalize(self.prototypes, dim=1))


class LinearProbe(nn.Module):
    """A linear classifier of standardised features.

    It starts at zero and so draws nothing: the backbone learns the same with it and without.
    """

    def __init__(self, inputs: int, num_classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(inputs, affine=False)
        self.weight = nn.Parameter(torch.zeros(num_classes, inputs))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, features: Tensor) -> Tensor:
        return F.linear(self.norm(features), self.weight, self.bias)
