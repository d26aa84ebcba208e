"""Pictures of a run as PNG: curves, grids of images, confusion matrices."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.printable import printable

_INK = "#1f2a44"
_ACCENT = "#c8553d"


def loss_curve(metrics: Path, out: Path) -> Path:
    """Draw the training loss and what was measured after each epoch, from metrics.jsonl."""
    lines = [json.loads(line) for line in metrics.read_bytes().splitlines()]
    return compare_curves({"": lines}, out)


def compare_curves(runs: Mapping[str, Sequence[Mapping[str, Any]]], out: Path) -> Path:
    """Draw the curves of several runs over each other, from the lines of their metrics.jsonl by the runs' names.

    One panel has the training loss; up to three more have what was measured along the way, first come, first drawn.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    train = {name: [line for line in lines if line.get("event") == "train"] for name, lines in runs.items()}
    # the last line has the final scores and no step
    measured = {name: [line for line in lines if _is_measured(line)] for name, lines in runs.items()}
    names = [name for lines in measured.values() for name in (lines[0] if lines else {}) if _is_figure(name, lines[0])]
    panels = [("loss", train), *((name, measured) for name in list(dict.fromkeys(names))[:3])]
    figure, axes = _figure(len(panels))
    colours = _colours(len(runs))
    for axis, (figure_name, lines_of) in zip(axes, panels, strict=True):
        for lines, colour in zip(lines_of.values(), colours, strict=True):
            points = [(line["step"], line[figure_name]) for line in lines if _is_figure(figure_name, line)]
            if lines_of is measured and len(runs) == 1:
                colour = _ACCENT
            marker = None if lines_of is train else "."
            if lines_of is train and len(runs) == 1 and (parts := _parts(lines)):
                _draw_parts(axis, lines, parts)
                continue
            axis.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=1.2, marker=marker)
        events = dict.fromkeys(line["event"] for lines in lines_of.values() for line in lines)
        title = f"{figure_name}, {'training' if lines_of is train else ' or '.join(events)}"
        axis.set_title(printable(title), parse_math=False)
        axis.set_xlabel("step")
        axis.grid(alpha=0.25)
    if len(runs) > 1:
        for text in axes[0].legend(axes[0].lines, list(map(printable, runs)), fontsize=7).get_texts():
            text.set_parse_math(False)  # a run may be called what it likes
    return _save(figure, out)


def image_grid(rows: Sequence[Tensor], out: Path, *, captions: Sequence[str] = (), limit: int = 16) -> Path:
    """Write rows of images, floats in [0, 1] of shape (batch, channels, height, width), one below the other.

    Small images are enlarged by whole pixels. `captions` name the rows, at their left.
    """
    _canvas(rows, captions, limit).save(out, optimize=True)
    return out


def image_animation(
    frames: Sequence[Sequence[Tensor]], out: Path, *, captions: Sequence[str] = (), seconds: float = 0.5
) -> Path:
    """Write frames of rows of images, as `image_grid` takes them, as an animated PNG that begins again at its end.

    `captions` name the frames. The last one stays for four times the `seconds` of the others.
    """
    titles = captions or [""] * len(frames)
    drawn = [
        _canvas(rows, [title, *[""] * (len(rows) - 1)] if title else (), 16)
        for rows, title in zip(frames, titles, strict=True)
    ]
    durations = [round(1000 * seconds)] * (len(drawn) - 1) + [round(4000 * seconds)]
    drawn[0].save(out, save_all=True, append_images=drawn[1:], duration=durations, loop=0)
    return out


def _canvas(rows: Sequence[Tensor], captions: Sequence[str], limit: int) -> Any:
    from PIL import Image, ImageDraw

    count = min(limit, *(len(row) for row in rows))
    images = [row[:count].detach().float().clamp(0, 1).cpu() for row in rows]
    height, width = images[0].shape[2:]
    scale, gap = max(1, round(64 / max(height, width))), 2
    margin = 90 if captions else 0
    canvas_size = (margin + count * (width * scale + gap) + gap, len(rows) * (height * scale + gap) + gap)
    canvas = Image.new("RGB", canvas_size, "white")
    draw = ImageDraw.Draw(canvas)
    for line, row in enumerate(images):
        top = gap + line * (height * scale + gap)
        if captions:
            draw.text((6, top + height * scale // 2 - 6), captions[line], fill=_INK)
        pixels = row.mul(255).round().byte().expand(-1, 3, -1, -1).movedim(1, 3).contiguous().numpy()
        for place, picture in enumerate(pixels):
            tile = Image.fromarray(picture).resize((width * scale, height * scale), Image.Resampling.NEAREST)
            canvas.paste(tile, (margin + gap + place * (width * scale + gap), top))
    return canvas


def labelled_grid(images: Tensor, titles: Sequence[str], wrong: Sequence[bool], out: Path, *, columns: int = 8) -> Path:
    """Write images with a title each, the wrong ones in colour."""
    rows = -(-len(images) // columns)
    plt = _pyplot()
    figure, axes = plt.subplots(rows, columns, figsize=(1.5 * columns, 1.8 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title, bad in zip(axes.flat, images.cpu(), titles, wrong, strict=False):
        axis.imshow(image.movedim(0, 2).squeeze(2).numpy(), cmap="gray", vmin=0, vmax=1)
        axis.set_title(printable(title, lines=True), fontsize=7, color=_ACCENT if bad else _INK, parse_math=False)
    return _save(figure, out)


def feature_map(
    features: Tensor, out: Path, *, labels: Tensor | None = None, class_names: Sequence[str] = (), limit: int = 5000
) -> Path:
    """Draw features (samples, num_features) along their two widest directions, by class where there are labels.

    Of more than `limit` samples only the first are drawn.
    """
    points = _flattened(features[:limit].detach().float().cpu())
    groups = torch.zeros(len(points), dtype=torch.int64) if labels is None else labels[:limit].cpu()
    present = sorted(set(groups.tolist()))
    figure, axis = _pyplot().subplots(figsize=(6.4, 4.8))
    for group, colour in zip(present, _colours(len(present)), strict=True):
        chosen = points[groups == group].numpy()
        name = printable(class_names[group]) if group < len(class_names) else str(group)
        axis.scatter(chosen[:, 0], chosen[:, 1], s=4, color=colour, label=name, alpha=0.6, linewidths=0)
    if labels is not None and len(present) <= 25:
        legend = axis.legend(fontsize=7, markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5))
        for text in legend.get_texts():
            text.set_parse_math(False)
    axis.set_xticks([])
    axis.set_yticks([])
    return _save(figure, out)


def _flattened(features: Tensor) -> Tensor:
    """Return features seen along their two widest directions, by PCA: (samples, 2)."""
    centred = features - features.mean(0)
    if centred.shape[1] < 2:
        centred = torch.cat([centred, torch.zeros_like(centred)], 1)
    _, directions = torch.linalg.eigh((centred.T @ centred).double())
    plane = directions[:, -2:].flip(1).to(centred.dtype)
    signs = plane.gather(0, plane.abs().argmax(0, keepdim=True)).sign()  # which way round is left open otherwise
    flat: Tensor = centred @ (plane * signs)
    return flat


def confusion_matrix(counts: Tensor, class_names: Sequence[str], out: Path) -> Path:
    """Draw counts of shape (classes, classes), rows true and columns predicted, as shares of each row."""
    shares = (counts / counts.sum(1, keepdim=True).clamp(min=1)).cpu()
    size = max(4.0, 0.55 * len(class_names) + 1.6)
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(size, size))
    axis.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
    names = list(map(printable, class_names))
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=8, parse_math=False)
    axis.set_yticks(range(len(names)), names, fontsize=8, parse_math=False)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    if len(class_names) <= 25:
        for row, column in torch.nonzero(shares >= 0.005).tolist():
            share = float(shares[row, column])
            axis.text(
                column,
                row,
                f"{100 * share:.0f}",
                ha="center",
                va="center",
                fontsize=7,
                color="white" if share > 0.5 else _INK,
            )
    return _save(figure, out)


def bar_chart(values: Mapping[str, float], out: Path, *, title: str) -> Path:
    """Draw a bar for each name, of shares from 0 to 1."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(6, 0.28 * len(values) + 1.2))
    bars = axis.barh(range(len(values)), list(values.values()), color=_INK)
    axis.bar_label(bars, [f"{value:.2f}" for value in values.values()], fontsize=7, padding=2)
    axis.set_yticks(range(len(values)), list(map(printable, values)), fontsize=8, parse_math=False)
    axis.invert_yaxis()
    axis.set_xlim(0, 1.08)
    axis.set_title(printable(title), fontsize=9, parse_math=False)
    return _save(figure, out)


def _is_measured(line: Mapping[str, Any]) -> bool:
    return line.get("event") in ("validation", "test") and "step" in line


def _is_figure(name: str, line: Mapping[str, Any]) -> bool:
    """Tell whether a line has a figure of this name to draw at its step."""
    named = name not in ("step", "epoch") and "/" not in name
    return named and isinstance(line.get(name), float) and isinstance(line.get("step"), int)


def _parts(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of the losses where several are minimised: of players their sum says nothing."""
    return [name for name in (lines[0] if lines else {}) if name.startswith("loss/")]


def _draw_parts(axis: Any, lines: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    for name, colour in zip(names, _colours(len(names)), strict=True):
        points = [(line["step"], line[name]) for line in lines if name in line]
        label = printable(name.removeprefix("loss/"))
        axis.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=1.2, label=label)
    for text in axis.legend(fontsize=7).get_texts():
        text.set_parse_math(False)


def _colours(count: int) -> list[Any]:
    """Return colours that can be told apart: our own two, then matplotlib's."""
    import matplotlib

    own = [_INK, _ACCENT]
    if count <= len(own):
        return own[:count]
    table = matplotlib.colormaps["tab10" if count <= 10 else "turbo"]
    return [table(place if count <= 10 else place / (count - 1)) for place in range(count)]


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def _figure(count: int) -> tuple[Any, list[Any]]:
    figure, axes = _pyplot().subplots(1, count, figsize=(4.2 * count, 3.2), squeeze=False)
    return figure, list(axes[0])


def _save(figure: Any, out: Path) -> Path:
    figure.tight_layout()
    figure.savefig(out, dpi=110, metadata={"Software": None})
    _pyplot().close(figure)
    return out
