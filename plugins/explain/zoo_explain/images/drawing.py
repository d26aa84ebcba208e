"""Draw maps over their image, beside it and beside each other, in colors that everybody can tell apart."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_INK, _PAPER = "#1f2a44", "white"
_LEAST, _GAP, _LINE, _TEXT, _BAR = 224, 12, 24, 16, 14
_LONGEST = 26
_UNSEEN = 0.35
_TOP = 0.995


def side_by_side(picture: Image.Image, results: Mapping[str, Mapping[str, Any]]) -> Image.Image:
    """Return the image beside its map by each method, with titles, and a bar that says what the colors mean.

    Each has the image's own size, or where that is small a whole number of times that.
    """
    times = max(1, -(-_LEAST // max(picture.size)))
    size = (picture.width * times, picture.height * times)
    shown = [("input", "", picture.resize(size, Image.Resampling.NEAREST))]
    for name, result in results.items():
        drawn = colored(picture, result).resize(size, Image.Resampling.NEAREST)
        said = "" if result["target"] == "-" else f"{result['target']} {result['score']:.2f}"
        if "box" in result:  # it is drawn, so that its numbers need not be read
            said = f"{result['target'].rpartition(' at ')[0]} {result['score']:.2f}"
            for whole in (shown[0][2], drawn):
                _outline(whole, result["box"], times)
        shown.append((name.replace("_", " "), said, drawn))
    width = max(size[0], 200)
    canvas = Image.new("RGB", ((width + _GAP) * len(shown) + _GAP, size[1] + 2 * _LINE + 2 * _GAP + _LINE), _PAPER)
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(_TEXT)
    for place, (title, said, drawn) in enumerate(shown):
        left = _GAP + place * (width + _GAP)
        draw.text((left, _GAP), title, fill=_INK, font=font)
        draw.text((left, _GAP + _LINE), _cut(said), fill=_INK, font=font)
        canvas.paste(drawn, (left, _GAP + 2 * _LINE))
        if place and "map" in results[title.replace(" ", "_")]:
            _bar(canvas, left, _GAP + 2 * _LINE + size[1] + 5, min(width, size[0]))
    return canvas


def colored(picture: Image.Image, result: Mapping[str, Any]) -> Image.Image:
    """Return an image of the picture's own size with a result's map, or its colors, over it."""
    if "colors" in result:
        colors = np.nan_to_num(result["colors"], nan=0.5)
        return Image.fromarray((255 * colors).round().astype(np.uint8))
    values = unit(result["map"])
    seen = ~np.isnan(values)
    grey = np.asarray(picture.convert("L"), np.float32)[..., None] / 255
    strength = np.nan_to_num(values)[..., None]
    over = heat(np.nan_to_num(values)) * (0.35 + 0.65 * grey)
    # little of the map leaves the image as it is, in grey; where the model did not look it is pale
    mixed = grey * (1 - 0.25 - 0.55 * strength) + over * (0.25 + 0.55 * strength)
    mixed = np.where(seen[..., None], mixed, 1 - _UNSEEN * (1 - grey))
    return Image.fromarray((255 * mixed.clip(0, 1)).round().astype(np.uint8))


def unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what speaks for the target, from 0 to 1, which is what half a percent of the map is above."""
    positive = np.where(np.isnan(values), np.nan, np.maximum(values, 0))
    top = np.nanquantile(positive, _TOP) if np.isfinite(positive).any() else 0.0
    top = top if top > 0 else np.nanmax(np.nan_to_num(positive), initial=0.0)
    return np.minimum(positive / top, 1) if top > 0 else positive


def heat(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the colors of numbers from 0 to 1: viridis, which is read alike with any color vision."""
    from matplotlib import colormaps

    return np.asarray(colormaps["viridis"](values)[..., :3], np.float32)


def _outline(picture: Image.Image, box: Sequence[float], times: int) -> None:
    """Draw a box in white on ink, which is seen on any ground."""
    draw = ImageDraw.Draw(picture)
    corners = [round(side * times) for side in box]
    for width, color in ((4, _INK), (2, _PAPER)):
        draw.rectangle(corners, outline=color, width=width)


def _bar(canvas: Image.Image, left: int, top: int, width: int) -> None:
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    inner = max(20, width - 90)
    ramp = heat(np.linspace(0, 1, inner, dtype=np.float32)[None].repeat(_BAR, 0))
    canvas.paste(Image.fromarray((255 * ramp).round().astype(np.uint8)), (left + 38, top))
    draw.text((left, top + _BAR // 2), "none", fill=_INK, font=font, anchor="lm")
    draw.text((left + 38 + inner + 6, top + _BAR // 2), "most", fill=_INK, font=font, anchor="lm")


def _cut(text: str) -> str:
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    return clean if len(clean) <= _LONGEST else f"{clean[: _LONGEST - 1]}…"
