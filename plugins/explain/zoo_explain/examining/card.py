"""The picture of an examination for a model card: how sure against how right, and the slices."""

from pathlib import Path

from zoo_explain.examining.examine import Examined

_SLICES = 12
_BLUE, _ORANGE = "#2166ac", "#d97814"


def draw_card(found: Examined, path: Path) -> Path:
    """Draw the reliability diagram beside the weakest slices with their intervals."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    known = found.calibration
    left.plot([0, 1], [0, 1], "--", color="#8891a5", linewidth=1)
    for bins, color, marker, label in (
        (known.bins, _ORANGE, "o", f"as it is, error {known.ece:.3f}"),
        (known.bins_after, _BLUE, "s", f"temperature {known.temperature:.2f}, error {known.ece_after:.3f}"),
    ):
        sizes = [12 + 300 * share for _, _, share in bins]
        left.scatter(
            [x for x, _, _ in bins], [y for _, y, _ in bins], s=sizes, c=color, marker=marker, alpha=0.7, label=label
        )
    left.set(xlabel="how sure", ylabel="how often right", xlim=(0, 1.02), ylim=(0, 1.05), title="Calibration")
    legend = left.legend(loc="upper left", frameon=False)
    for handle in legend.legend_handles:
        handle.set_sizes([40])
    shown = found.slices[:_SLICES][::-1]
    for place, part in enumerate(shown):
        color = _ORANGE if part.weak else _BLUE
        right.plot([part.low, part.high], [place, place], color=color, linewidth=2)
        right.plot([part.accuracy], [place], "o", color=color)
    right.axvline(found.accuracy, color="#8891a5", linestyle="--", linewidth=1)
    names = [f"{part.name} ({part.samples:,})" for part in shown]
    right.set_yticks(range(len(shown)), [name if len(name) < 40 else f"{name[:38]}…" for name in names])
    right.set(
        xlabel="accuracy, 95 % interval; orange is weak", title=f"{found.accuracy:.1%} of {found.samples:,} right"
    )
    figure.savefig(path)
    return path
