"""How generators are told of classes: by scales and shifts in their batch norms.

An embedding beside the latent passes the same layer as it, and the norm that follows lets either shrink: each class was
one picture in the end, whatever the latent. Here a norm sees what the latent alone made before classes change it.
"""

from torch import Tensor, nn

_SPREAD = 0.5


class LabelConditioned(nn.Module):
    """A module whose forward takes labels beside what it works on."""


class ClassNorm(nn.BatchNorm2d, LabelConditioned):
    """Batch norm; with `classes` each has its own scale and shift (Dumoulin et al., 2017; Miyato and Koyama, 2018)."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__(width, affine=not classes)
        self.scale = nn.Embedding(classes, width) if classes else None
        self.shift = nn.Embedding(classes, width) if classes else None
        if self.scale is not None and self.shift is not None:
            # apart from the start: a rate of 2e-4 would take thousands of steps to tell classes from each other
            nn.init.normal_(self.scale.weight, mean=1.0, std=_SPREAD)
            nn.init.normal_(self.shift.weight, std=_SPREAD)

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        normed: Tensor = super().forward(x)
        if self.scale is None or self.shift is None:
            return normed
        labels = needed(labels)
        scaled: Tensor = normed * self.scale(labels)[:, :, None, None] + self.shift(labels)[:, :, None, None]
        return scaled


class Conditioned(nn.Sequential):
    """Run modules one after the other, those that are to be told with the labels."""

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        for module in self:
            x = module(x, labels) if isinstance(module, LabelConditioned) else module(x)
        return x


def needed(labels: Tensor | None) -> Tensor:
    """Return labels that a model with classes cannot do without."""
    if labels is None:
        raise ValueError("this model is class-conditional: give labels, one class per image")
    return labels
