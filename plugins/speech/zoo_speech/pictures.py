"""Pictures of sounds: waves over spectrograms, with what was heard in them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import zoo

_INK, _ACCENT = "#20262e", "#c8553d"
_TITLE = 60
_MOST_POINTS = 4000


def spectrogram_grid(
    spectrograms: Sequence[Tensor], found: Sequence[str], true: Sequence[str], out: Path, *, columns: int = 8
) -> Path:
    """Draw spectrograms (or waves) with what was heard in each; where that is wrong, in color and with what it is."""
    rows = -(-len(spectrograms) // columns)
    with zoo.figure_at(out, 1.7 * columns, 1.9 * rows) as figure:
        axes = list(figure.subplots(rows, columns, squeeze=False).flat)
        for axis in axes:
            axis.axis("off")
        for axis, values, mine, right in zip(axes, spectrograms, found, true, strict=False):
            _draw(axis, values.numpy())
            title = _shown(mine) if mine == right else f"{_shown(mine)} ({_shown(right)})"
            axis.set_title(title, color=_INK if mine == right else _ACCENT, parse_math=False)
    return out


def sound_picture(
    wave: NDArray[np.float32],
    rate: int,
    spectrogram: NDArray[np.float32] | None,
    title: str,
    out: Path,
    *,
    spans: Sequence[tuple[float, float]] = (),
    lines: tuple[NDArray[np.float32], Sequence[str]] | None = None,
) -> Path:
    """Draw a wave over its spectrogram, spans of seconds shaded, and below them what each of `lines` has over time."""
    seconds = len(wave) / rate
    count = 1 + (spectrogram is not None) + (lines is not None)
    with zoo.figure_at(out, max(6.0, min(20.0, 2.0 * seconds)), 1.9 * count) as figure:
        axes = list(figure.subplots(count, 1, squeeze=False)[:, 0])
        step = max(1, len(wave) // _MOST_POINTS)
        axes[0].plot(np.arange(0, len(wave), step) / rate, wave[::step], color=_INK, linewidth=0.6)
        axes[0].set_xlim(0, seconds)
        axes[0].set_title(_shown(title), parse_math=False)
        for start, end in spans:
            axes[0].axvspan(start, end, color=_ACCENT, alpha=0.25, linewidth=0)
        rest = axes[1:]
        if spectrogram is not None:
            axis = rest.pop(0)
            axis.imshow(
                spectrogram, origin="lower", aspect="auto", cmap="magma", extent=(0, seconds, 0, len(spectrogram))
            )
            axis.set_ylabel("mel")
        if lines is not None:
            values, names = lines
            axis = rest.pop(0)
            axis.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=1, extent=(0, seconds, len(names), 0))
            axis.set_yticks(np.arange(len(names)) + 0.5, [_shown(name) for name in names], parse_math=False)
        axes[-1].set_xlabel("seconds")
    return out


def _draw(axis: Any, values: NDArray[np.float32]) -> None:
    if values.ndim == 1:
        axis.plot(values, color=_INK, linewidth=0.5)
    else:
        axis.imshow(values, origin="lower", aspect="auto", cmap="magma")


def _shown(text: str) -> str:
    """Return a text without what cannot be printed, cut where it is long."""
    clean = "".join(letter if letter.isprintable() else "�" for letter in text)
    return clean if len(clean) <= _TITLE else clean[: _TITLE - 1] + "…"
