"""Say which class pictures show."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from PIL.Image import Image

_LISTED = 5


class ClassificationPredictor:
    """The five most probable classes of each picture."""

    columns = ("label", "score", "next")

    def __init__(self, model: nn.Module, labels: tuple[str, ...]) -> None:
        self.model = model
        self.labels = labels

    def __call__(self, images: Tensor, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        """Return `{"predictions": [{"label", "score"}, …]}` for each picture, the most probable class first."""
        scores, places = self.model(images).float().softmax(1).topk(min(_LISTED, len(self.labels)))
        return [
            {"predictions": [{"label": self.labels[place], "score": score} for score, place in zip(*pair, strict=True)]}
            for pair in zip(scores.tolist(), places.tolist(), strict=True)
        ]

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return the class, its probability, and what else it might be."""
        first, *others = result["predictions"]
        following = ", ".join(f"{other['label']} {other['score']:.3f}" for other in others[:2])
        return [first["label"], f"{first['score']:.3f}", following]

    def draw(self, picture: "Image", result: dict[str, Any]) -> "Image":
        """Return the picture with the class and its probability written above it."""
        from PIL import Image, ImageDraw, ImageFont

        first = result["predictions"][0]
        text = f"{first['label']} {first['score']:.2f}"
        font = ImageFont.load_default(max(10, picture.height // 20))
        left, top, right, bottom = font.getbbox(text)
        band = round(bottom - top) + 8
        drawn = Image.new("RGB", (max(picture.width, round(right - left) + 8), picture.height + band), "white")
        drawn.paste(picture, (0, band))
        ImageDraw.Draw(drawn).text((4, 4 - top), text, fill="#1f2a44", font=font)
        return drawn
