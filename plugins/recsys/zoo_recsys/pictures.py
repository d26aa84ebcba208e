"""Draw how good rankings are for users with few items and with many, and how popular what is recommended is."""

from pathlib import Path

import torch
from torch.nn import functional

from zoo_recsys.scoring import Scores

_BINS = 8
_INK, _PALE = "#2a78b8", "#b8b8b8"


def draw_scores(scores: Scores, k: int, out: Path) -> Path:
    """Draw NDCG by length of history, in groups of as many users each, beside the popularity of what is recommended."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.4, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    ndcg = scores.users["ndcg"]
    groups = torch.tensor_split(scores.lengths.argsort(stable=True), min(_BINS, len(ndcg)))
    ranges = [f"{int(scores.lengths[group].min())}–{int(scores.lengths[group].max())}" for group in groups]
    means = [float(ndcg[group].mean()) for group in groups]
    left.bar(range(len(groups)), means, color=_INK)
    left.axhline(float(ndcg.mean()), color="black", linewidth=0.8, linestyle="--", label=f"mean {ndcg.mean():.3f}")
    left.set_xticks(range(len(groups)), ranges, rotation=30)
    left.set(xlabel="items that a user had", title=f"NDCG@{k} by length of history", ylim=(0, None))
    left.legend(frameon=False)
    order = scores.counts.argsort(descending=True, stable=True)
    ends = torch.tensor([len(part) for part in order.tensor_split(10)]).cumsum(0)  # of few items some tenths have none
    for values, color, label in (
        (scores.counts, _PALE, "in training"),
        (scores.recommended.float(), _INK, f"among the first {k}"),
    ):
        running = functional.pad(values[order].cumsum(0) / values.sum().clamp(min=1), (1, 0))
        shares = running[ends].diff(prepend=torch.zeros(1))
        offset = -0.2 if color == _PALE else 0.2
        right.bar([place + offset for place in range(10)], shares.tolist(), 0.4, color=color, label=label)
    right.set_xticks(range(10), [f"{place + 1}0 %" for place in range(10)], rotation=30)
    right.set(
        xlabel="items, the most popular tenth first", ylabel="share of rows", title="Popularity of what is recommended"
    )
    right.legend(frameon=False)
    figure.savefig(out, dpi=110)
    return out
