"""Pictures of a run as PNG: curves, grids of images, confusion matrices."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.data.images.lettering import INK, shown_name, text_font
from zoo.engine.figures import ACCENT, colours, figure_at, show_legend
from zoo.printable import printable

_MOST_NAMES = 40
"""Of more classes no names stand beside a matrix, which would grow without bound."""
_TITLE = 16
"""Characters that fit above an image."""


def loss_curve(metrics: Path, out: Path) -> Path:
    """Draw the training loss and what was measured after each epoch, from metrics.jsonl."""
    lines = [json.loads(line) for line in metrics.read_bytes().splitlines()]
    return compare_curves({"": lines}, out)


def compare_curves(runs: Mapping[str, Sequence[Mapping[str, Any]]], out: Path) -> Path:
    """Draw the curves of several runs over each other, from the lines of their metrics.jsonl by the runs' names.

    One panel has the training loss; up to three more have what was measured along the way, first come, first drawn.
    """
    train = {name: [line for line in lines if line.get("event") == "train"] for name, lines in runs.items()}
    # the last line has the final scores and no step
    measured = {name: [line for line in lines if _is_measured(line)] for name, lines in runs.items()}
    names = [name for lines in measured.values() for name in (lines[0] if lines else {}) if _is_figure(name, lines[0])]
    panels = [("loss", train), *((name, measured) for name in list(dict.fromkeys(names))[:3])]
    shades = colours(len(runs))
    with figure_at(out, 5.2 * len(panels), 4.2) as figure:
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for axis, (figure_name, lines_of) in zip(axes, panels, strict=True):
            for lines, colour in zip(lines_of.values(), shades, strict=True):
                points = [(line["step"], line[figure_name]) for line in lines if _is_figure(figure_name, line)]
                if lines_of is measured and len(runs) == 1:
                    colour = ACCENT
                marker = None if lines_of is train and len(points) > 1 else "."  # a line of one point is not seen
                if lines_of is train and len(runs) == 1 and (parts := _parts(lines)):
                    _draw_parts(axis, lines, parts)
                    continue
                axis.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=1.2, marker=marker)
            events = dict.fromkeys(line["event"] for lines in lines_of.values() for line in lines)
            title = f"{figure_name}, {'training' if lines_of is train else ' or '.join(events)}"
            axis.set_title(printable(title), parse_math=False)
            axis.set_xlabel("step")
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.grid(alpha=0.25)
        if len(runs) > 1:
            show_legend(axes[0], handles=axes[0].lines, labels=list(map(shown_name, runs)))
    return out


def image_grid(rows: Sequence[Tensor], out: Path, *, captions: Sequence[str] = (), limit: int = 16) -> Path:
    """Write rows of images, floats in [0, 1] of shape (batch, channels, height, width), one below the other.

    Small images are enlarged by whole pixels. `captions` name the rows, at their left.
    """
    _canvas(rows, captions, limit, _margin(captions)).save(out, optimize=True)
    return out


def image_animation(
    frames: Sequence[Sequence[Tensor]], out: Path, *, captions: Sequence[str] = (), seconds: float = 0.5
) -> Path:
    """Write frames of rows of images, as `image_grid` takes them, as an animated PNG that begins again at its end.

    `captions` name the frames. The last one stays for four times the `seconds` of the others.
    """
    titles = captions or [""] * len(frames)
    margin = _margin(captions)
    drawn = [
        _canvas(rows, [title, *[""] * (len(rows) - 1)] if title else (), 16, margin)
        for rows, title in zip(frames, titles, strict=True)
    ]
    durations = [round(1000 * seconds)] * (len(drawn) - 1) + [round(4000 * seconds)]
    drawn[0].save(out, save_all=True, append_images=drawn[1:], duration=durations, loop=0)
    return out


def _margin(captions: Sequence[str]) -> int:
    """Return how wide the room for captions is, none without them."""
    font = text_font()
    widest = max((font.getlength(shown_name(caption)) for caption in captions), default=0)
    return round(widest) + 16 if widest else 0


def _canvas(rows: Sequence[Tensor], captions: Sequence[str], limit: int, margin: int) -> Any:
    from PIL import Image, ImageDraw

    count = min(limit, *(len(row) for row in rows))
    images = [row[:count].detach().float().clamp(0, 1).cpu() for row in rows]
    height, width = images[0].shape[2:]
    scale, gap = max(1, round(64 / max(height, width))), 2
    canvas_size = (margin + count * (width * scale + gap) + gap, len(rows) * (height * scale + gap) + gap)
    canvas = Image.new("RGB", canvas_size, "white")
    draw = ImageDraw.Draw(canvas)
    for line, row in enumerate(images):
        top = gap + line * (height * scale + gap)
        if captions:
            middle = (8, top + height * scale // 2)
            draw.text(middle, shown_name(captions[line]), fill=INK, font=text_font(), anchor="lm")
        pixels = row.mul(255).round().byte().expand(-1, 3, -1, -1).movedim(1, 3).contiguous().numpy()
        for place, picture in enumerate(pixels):
            tile = Image.fromarray(picture).resize((width * scale, height * scale), Image.Resampling.NEAREST)
            canvas.paste(tile, (margin + gap + place * (width * scale + gap), top))
    return canvas


def labelled_grid(images: Tensor, titles: Sequence[str], wrong: Sequence[bool], out: Path, *, columns: int = 8) -> Path:
    """Write images with a title each, the wrong ones in colour."""
    rows = -(-len(images) // columns)
    with figure_at(out, 1.6 * columns, 2.1 * rows) as figure:
        axes = figure.subplots(rows, columns, squeeze=False)
        for axis in axes.flat:
            axis.axis("off")
        for axis, image, title, bad in zip(axes.flat, images.cpu(), titles, wrong, strict=False):
            axis.imshow(image.movedim(0, 2).squeeze(2).numpy(), cmap="gray", vmin=0, vmax=1)
            shown = "\n".join(shown_name(line, _TITLE) for line in title.split("\n"))
            axis.set_title(shown, color=ACCENT if bad else INK, parse_math=False)
    return out


def feature_map(
    features: Tensor, out: Path, *, labels: Tensor | None = None, class_names: Sequence[str] = (), limit: int = 5000
) -> Path:
    """Draw features (samples, num_features) along their two widest directions, by class where there are labels.

    Of more than `limit` samples only the first are drawn.
    """
    points = _flattened(features[:limit].detach().float().cpu())
    groups = torch.zeros(len(points), dtype=torch.int64) if labels is None else labels[:limit].cpu()
    present = sorted(set(groups.tolist()))
    with figure_at(out, 8.4, 5.6) as figure:
        axis = figure.subplots()
        for group, colour in zip(present, colours(len(present)), strict=True):
            chosen = points[groups == group].numpy()
            name = shown_name(class_names[group]) if group < len(class_names) else str(group)
            axis.scatter(chosen[:, 0], chosen[:, 1], s=6, color=colour, label=name, alpha=0.6, linewidths=0)
        if labels is not None and len(present) <= 25:
            show_legend(axis, markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5))
        axis.set_xticks([])
        axis.set_yticks([])
    return out


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
    names = list(map(shown_name, class_names)) if len(class_names) <= _MOST_NAMES else []
    size = 0.55 * len(names) + 2.6 if names else 12.0
    with figure_at(out, max(4.6, size), max(4.6, size)) as figure:
        axis = figure.subplots()
        axis.imshow(shares.numpy(), cmap="Blues", vmin=0, vmax=1)
        if names:
            axis.set_xticks(range(len(names)), names, rotation=45, ha="right", parse_math=False)
            axis.set_yticks(range(len(names)), names, parse_math=False)
        axis.set_xlabel("predicted")
        axis.set_ylabel("true")
        for row, column in torch.nonzero(shares >= 0.005).tolist() if len(class_names) <= 25 else ():
            share = float(shares[row, column])
            color = "white" if share > 0.5 else INK
            axis.text(column, row, f"{100 * share:.0f}", ha="center", va="center", color=color)
    return out


def bar_chart(values: Mapping[str, float], out: Path, *, title: str) -> Path:
    """Draw a bar for each name, of shares from 0 to 1."""
    with figure_at(out, 7.5, 0.28 * len(values) + 1.2) as figure:
        axis = figure.subplots()
        bars = axis.barh(range(len(values)), list(values.values()), color=INK)
        axis.bar_label(bars, [f"{value:.2f}" for value in values.values()], padding=2)
        axis.set_yticks(range(len(values)), list(map(shown_name, values)), parse_math=False)
        axis.invert_yaxis()
        axis.set_xlim(0, 1.12)
        axis.set_title(printable(title), parse_math=False)
    return out


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
    for name, colour in zip(names, colours(len(names)), strict=True):
        points = [(line["step"], line[name]) for line in lines if name in line]
        label = shown_name(name.removeprefix("loss/"))
        axis.plot([x for x, _ in points], [y for _, y in points], color=colour, linewidth=1.2, label=label)
    show_legend(axis)
