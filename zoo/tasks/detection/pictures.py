"""Draw boxes into pictures, and curves of precision over recall."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from zoo.printable import printable
from zoo.tasks.detection.decode import Detections

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN_FROM = 0.3
_SIDE = 320
_GAP = 4
_COLOURS = ("#c8553d", "#1f6fb4", "#2e8b57", "#8e5ea2", "#d9a21b", "#00868b", "#b0308a", "#6b6b00")
_FRAME = "#1f2a44"


def draw_boxes(picture: "Image", boxes: Sequence[Sequence[float]], classes: Sequence[int], texts: Sequence[str]) -> Any:
    """Return the picture in colour with boxes in its pixels, each in its class's colour with a text at its corner."""
    from PIL import ImageDraw

    drawn = picture.convert("RGB")
    draw = ImageDraw.Draw(drawn)
    line = max(1, round(min(drawn.size) / 200))
    for (left, top, right, bottom), place, text in zip(boxes, classes, texts, strict=True):
        colour = _COLOURS[place % len(_COLOURS)]
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=line)
        if text:
            corner = (left, max(0, top - 11))
            draw.rectangle(draw.textbbox(corner, text), fill=colour)
            draw.text(corner, text, fill="white")
    return drawn


def boxed_grid(images: Tensor, found: Detections, truth: Tensor, classes: Sequence[str], out: Path) -> Path:
    """Write images in two rows: above with the boxes that were found, below with the true ones (batch, most, 6)."""
    from PIL import Image

    columns = []
    for place, image in enumerate(images.detach().float().clamp(0, 1).cpu()):
        sure = found.scores[place] >= _SHOWN_FROM
        known = truth[place][:, 4] >= 0
        rows = [
            (found.boxes[place][sure], found.classes[place][sure], found.scores[place][sure].tolist()),
            (truth[place][known][:, :4], truth[place][known][:, 4], None),
        ]
        columns.append([_drawn(image, boxes, kinds, scores, classes) for boxes, kinds, scores in rows])
    width, height = columns[0][0].size
    canvas = Image.new("RGB", (len(columns) * (width + _GAP) - _GAP, 2 * (height + _GAP) - _GAP), _FRAME)
    for column, pair in enumerate(columns):
        for row, picture in enumerate(pair):
            canvas.paste(picture, (column * (width + _GAP), row * (height + _GAP)))
    out.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(out, optimize=True)
    return out


def precision_recall(curves: Mapping[str, NDArray[np.float64]], out: Path) -> Path:
    """Draw precision over recall at IoU 0.50, a curve a class; of more than eight, those of the best and the worst."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    ranked = sorted(curves, key=lambda name: -float(curves[name].mean()))
    shown = ranked if len(ranked) <= 8 else ranked[:4] + ranked[-4:]
    figure, axis = plt.subplots(figsize=(4.4, 3.4))
    for name, colour in zip(shown, _COLOURS, strict=False):
        axis.plot(
            np.linspace(0, 1, len(curves[name])), curves[name], color=colour, linewidth=1.2, label=printable(name)
        )
    axis.set_xlim(0, 1.02)
    axis.set_ylim(0, 1.02)
    axis.set_xlabel("recall")
    axis.set_ylabel("precision, IoU 0.50")
    axis.grid(alpha=0.25)
    if shown:
        for text in axis.legend(fontsize=7, loc="lower left").get_texts():
            text.set_parse_math(False)  # a class may be called what it likes
    figure.tight_layout()
    figure.savefig(out, dpi=110, metadata={"Software": None})
    plt.close(figure)
    return out


def _drawn(
    image: Tensor, boxes: Tensor, kinds: Tensor, scores: Sequence[float] | None, classes: Sequence[str]
) -> "Image":
    """Return an image (channels, height, width), enlarged by whole pixels, with boxes in its pixels drawn in."""
    from PIL import Image

    array = image.mul(255).round().byte().expand(3, -1, -1).movedim(0, 2).contiguous().numpy()
    times = max(1, _SIDE // max(array.shape[:2]))
    picture = Image.fromarray(array).resize((array.shape[1] * times, array.shape[0] * times), Image.Resampling.NEAREST)
    names = [classes[int(kind)] for kind in kinds.tolist()]
    texts = names if scores is None else [f"{name} {score:.2f}" for name, score in zip(names, scores, strict=True)]
    return draw_boxes(picture, torch.as_tensor(boxes).mul(times).tolist(), [int(kind) for kind in kinds], texts)  # type: ignore[no-any-return]
