"""Say which class pictures show, or which classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from zoo.tasks.multi_label import MultiLabelClassifier, seen

if TYPE_CHECKING:
    from PIL.Image import Image

_LISTED = 5


class ClassificationPredictor:
    """The five most probable classes of each picture; where it may show several, those that are likelier than not."""

    columns = ("label", "score", "next")

    def __init__(self, model: nn.Module, labels: tuple[str, ...]) -> None:
        self.model = model
        self.labels = labels

    def __call__(self, images: Tensor, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        """Return `{"predictions": [{"label", "score"}, …]}` for each picture, the most probable class first."""
        logits = self.model(images).float()
        if isinstance(self.model, MultiLabelClassifier):
            scores, places = logits.sigmoid().sort(1, descending=True)
            listed = seen(logits).sum(1).tolist()
        else:
            scores, places = logits.softmax(1).topk(min(_LISTED, len(self.labels)))
            listed = [_LISTED] * len(logits)
        return [
            {"predictions": [{"label": self.labels[place], "score": score} for score, place in pairs[:count]]}
            for pairs, count in zip(
                (list(zip(*row, strict=True)) for row in zip(scores.tolist(), places.tolist(), strict=True)),
                listed,
                strict=True,
            )
        ]

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return the class, its probability, and what else it might be."""
        if isinstance(self.model, MultiLabelClassifier):
            found = result["predictions"]
            names, scores = ([item[key] for item in found] for key in ("label", "score"))
            return [", ".join(names) or "none", ", ".join(f"{score:.3f}" for score in scores), ""]
        first, *others = result["predictions"]
        following = ", ".join(f"{other['label']} {other['score']:.3f}" for other in others[:2])
        return [first["label"], f"{first['score']:.3f}", following]

    def draw(self, picture: "Image", result: dict[str, Any]) -> "Image":
        """Return the picture with the class and its probability written above it."""
        from PIL import Image, ImageDraw, ImageFont

        listed = result["predictions"] if isinstance(self.model, MultiLabelClassifier) else result["predictions"][:1]
        text = ", ".join(f"{item['label']} {item['score']:.2f}" for item in listed) or "none"
        font = ImageFont.load_default(max(10, picture.height // 20))
        left, top, right, bottom = font.getbbox(text)
        band = round(bottom - top) + 8
        drawn = Image.new("RGB", (max(picture.width, round(right - left) + 8), picture.height + band), "white")
        drawn.paste(picture, (0, band))
        ImageDraw.Draw(drawn).text((4, 4 - top), text, fill="#1f2a44", font=font)
        return drawn
