"""One picture of what pretraining is worth: scores of several ways to train, seed by seed, beside reconstructions."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from zoo.data.images.lettering import INK
from zoo.engine.figures import ACCENT, figure_at

_COLUMNS = 5
_GAP = 2


def score_comparison(
    scores: Mapping[str, Sequence[float]], images: Tensor, reconstructed: Tensor, out: Path, *, title: str, score: str
) -> Path:
    """Draw a column of points for each way, a point a seed, with its mean; lines join the points of one seed.

    Beside them stand images, floats in [0, 1] of shape (batch, channels, height, width), over what was made of them.
    """
    with figure_at(out, 12, 5.6) as figure:
        points, pictures = figure.subplots(1, 2, width_ratios=(1.15, 1))
        for of_seed in zip(*scores.values(), strict=True):
            points.plot(range(len(scores)), of_seed, color=INK, alpha=0.25, linewidth=1, zorder=1)
        for place, values in enumerate(scores.values()):
            mean = statistics.fmean(values)
            points.scatter([place] * len(values), values, s=55, color=ACCENT if place else INK, zorder=2, linewidths=0)
            points.hlines(mean, place - 0.16, place + 0.16, color="black", linewidth=2.5, zorder=3)
            points.annotate(f"{mean:.1f}", (place + 0.2, mean), va="center", weight="bold")
        points.set_xticks(range(len(scores)), [name.replace(", ", ",\n") for name in scores])
        points.set_xlim(-0.4, len(scores) - 0.4)
        points.set_ylabel(score)
        points.set_xlabel("a line joins the runs of one seed")
        points.set_title(title)
        points.grid(axis="y", alpha=0.25)
        points.spines[["top", "right"]].set_visible(False)
        rows = [
            part[start : start + _COLUMNS]
            for start in range(0, len(images), _COLUMNS)
            for part in (images, reconstructed)
        ]
        pictures.imshow(_tiled(rows).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        step = images.shape[2] + _GAP
        names = ["image", "output"] * (len(rows) // 2)
        pictures.set_yticks([row * step + images.shape[2] / 2 for row in range(len(rows))], names)
        pictures.set_xticks([])
        pictures.tick_params(length=0)
        pictures.spines[:].set_visible(False)
        pictures.set_title("test images, reconstructed")
    return out


def _tiled(rows: Sequence[Tensor]) -> Tensor:
    """Return rows of images below each other as one, (height, width, channels), white between them."""
    pad = (0, _GAP, 0, _GAP)
    lines = [torch.cat([torch.nn.functional.pad(image, pad, value=1.0) for image in row], dim=2) for row in rows]
    return torch.cat(lines, dim=1)[:, :-_GAP, :-_GAP].clamp(0, 1).movedim(0, 2)
