"""Draw boxes into images, and curves of precision over recall."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zoo.data.images.lettering import enlarged, shown_name, text_font, with_caption, with_legend
from zoo.data.masks.colours import class_colours, class_legend
from zoo.engine.figures import colours, figure_at, show_legend
from zoo.tasks.detection.decode import Detections

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN_FROM = 0.3
_GAP = 4
_DARK = (31, 42, 68)
_ROWS = ("predicted", "ground truth")
_MOST_LABELS = 6
"""More boxes than that would hide each other's labels: one legend says what their colors mean."""


def draw_found(
    picture: "Image",
    boxes: Sequence[Sequence[float]],
    kinds: Sequence[int],
    scores: Sequence[float],
    names: Sequence[str],
) -> "Image":
    """Return an image with boxes in its pixels, each with its class and score; of many, a legend names the classes."""
    if len(boxes) > _MOST_LABELS:
        return with_legend(draw_boxes(picture, boxes, kinds, names), _counted(kinds, names))
    texts = [f"{shown_name(names[kind])} {score:.2f}" for kind, score in zip(kinds, scores, strict=True)]
    return draw_boxes(picture, boxes, kinds, names, texts)


def draw_boxes(
    picture: "Image",
    boxes: Sequence[Sequence[float]],
    kinds: Sequence[int],
    names: Sequence[str],
    texts: Sequence[str] = (),
) -> "Image":
    """Return the image, enlarged where it is small, with boxes in the colors of their classes and texts at corners."""
    from PIL import ImageDraw

    drawn, times = enlarged(picture)
    draw, shades = ImageDraw.Draw(drawn), class_colours(names)
    line = max(2, round(min(drawn.size) / 160))
    font = text_font(min(drawn.size) // 30)
    corners = [[side * times for side in box] for box in boxes]
    for (left, top, right, bottom), kind in zip(corners, kinds, strict=True):
        right, bottom = max(left, right), max(top, bottom)
        # a dark edge, so that a light color shows on a light image
        draw.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=_DARK, width=line + 2)
        draw.rectangle((left, top, right, bottom), outline=(*shades[kind].tolist(),), width=line)
    for (left, top, *_), kind, text in zip(corners, kinds, texts, strict=False):
        _write_label(draw, (left, top), text, (*shades[kind].tolist(),), font, drawn.size)
    return drawn


def _write_label(
    draw: Any, corner: tuple[float, float], text: str, colour: tuple[int, int, int], font: Any, size: tuple[int, int]
) -> None:
    """Write a text in its color above a box's corner, or as near as it can stand inside the image."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
    wide, high = right - left + 6, bottom - top + 6
    x, y = max(0, min(corner[0], size[0] - wide)), max(0, corner[1] - high)
    dark = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] < 140
    draw.rectangle((x, y, x + wide - 1, y + high - 1), fill=colour)
    draw.text((x + 3 - left, y + 3 - top), text, fill="white" if dark else _DARK, font=font)


def _counted(kinds: Sequence[int], names: Sequence[str]) -> list[tuple[str, tuple[int, int, int]]]:
    """Return the legend of the classes of some boxes, the most frequent first, with how many there are of each."""
    present = sorted(set(kinds), key=lambda kind: (-kinds.count(kind), kind))
    legend = class_legend(names, present)
    return [
        (f"{kinds.count(kind)} {shown_name(name)}", colour)
        for kind, (name, colour) in zip(present, legend, strict=True)
    ]


def boxed_grid(images: Tensor, found: Detections, truth: Tensor, classes: Sequence[str], out: Path) -> Path:
    """Write images in two rows, above with the boxes that were found, below with the true ones (batch, most, 6).

    Below them stands one legend of the classes.
    """
    columns: list[Any] = []
    present: set[int] = set()
    for place, image in enumerate(images.detach().float().clamp(0, 1).cpu()):
        sure = found.scores[place] >= _SHOWN_FROM
        known = truth[place][:, 4] >= 0
        rows = [
            (found.boxes[place][sure], found.classes[place][sure]),
            (truth[place][known][:, :4], truth[place][known][:, 4]),
        ]
        pair = [(boxes.tolist(), [int(kind) for kind in kinds.tolist()]) for boxes, kinds in rows]
        present.update(kind for _, kinds in pair for kind in kinds)
        columns.append([draw_boxes(_picture(image), boxes, kinds, classes) for boxes, kinds in pair])
    out.parent.mkdir(parents=True, exist_ok=True)
    rows_drawn = [
        with_caption(_beside(tiles), name) for name, tiles in zip(_ROWS, zip(*columns, strict=True), strict=True)
    ]
    with_legend(_beside(rows_drawn, below=True), class_legend(classes, sorted(present))).save(out, optimize=True)
    return out


def precision_recall(curves: Mapping[str, NDArray[np.float64]], out: Path) -> Path:
    """Draw precision over recall at IoU 0.50, a curve a class; of more than eight, those of the best and the worst."""
    ranked = sorted(curves, key=lambda name: -float(curves[name].mean()))
    shown = ranked if len(ranked) <= 8 else ranked[:4] + ranked[-4:]
    with figure_at(out, 6.4, 4.8) as figure:
        axis = figure.subplots()
        for name, colour in zip(shown, colours(len(shown)), strict=True):
            recall = np.linspace(0, 1, len(curves[name]))
            axis.plot(recall, curves[name], color=colour, linewidth=1.4, label=shown_name(name))
        axis.set_xlim(0, 1.02)
        axis.set_ylim(0, 1.02)
        axis.set_xlabel("recall")
        axis.set_ylabel("precision, IoU 0.50")
        axis.grid(alpha=0.25)
        if shown:
            show_legend(axis, loc="lower left")
    return out


def _picture(image: Tensor) -> "Image":
    """Return an image of floats in [0, 1], (channels, height, width), in color."""
    from PIL import Image

    return Image.fromarray(image.mul(255).round().byte().expand(3, -1, -1).movedim(0, 2).contiguous().numpy())


def _beside(pictures: Sequence["Image"], *, below: bool = False) -> "Image":
    """Return images of one size in a row, or one below the other."""
    from PIL import Image

    width, height = pictures[0].size
    step = (0, height + _GAP) if below else (width + _GAP, 0)
    last = len(pictures) - 1
    canvas = Image.new("RGB", (width + last * step[0], height + last * step[1]), "white")
    for place, picture in enumerate(pictures):
        canvas.paste(picture, (place * step[0], place * step[1]))
    return canvas
