"""Figures of one style: text large enough to read, nothing of matplotlib's state left changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.data.images.lettering import INK, TEXT

ACCENT = "#c8553d"
DPI = 110
_POINTS = 72 / DPI
_SIZES = ("axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")


@contextmanager
def figure_at(out: Path, width: float, height: float) -> Iterator[Any]:
    """Yield a figure of a size in inches, and write it to `out` at the end of the block."""
    import matplotlib
    from matplotlib.figure import Figure

    sizes: dict[Any, Any] = {"font.size": TEXT * _POINTS, **dict.fromkeys(_SIZES, "medium")}
    with matplotlib.rc_context(sizes):
        figure = Figure(figsize=(width, height), dpi=DPI, layout="tight")
        yield figure
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, metadata={"Software": None})


def show_legend(axis: Any, **options: Any) -> None:
    """Show the axis's legend. Its texts are read as no formulas: a class or a run may be called what it likes."""
    for text in axis.legend(**options).get_texts():
        text.set_parse_math(False)


def colours(count: int) -> list[Any]:
    """Return colours that can be told apart: our own two, then matplotlib's."""
    import matplotlib

    own = [INK, ACCENT]
    if count <= len(own):
        return own[:count]
    table = matplotlib.colormaps["tab10" if count <= 10 else "turbo"]
    return [table(place if count <= 10 else place / (count - 1)) for place in range(count)]
