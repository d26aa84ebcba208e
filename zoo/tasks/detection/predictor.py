"""Say what a detector finds in pictures, and draw it."""

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from zoo.tasks.detection.decode import find
from zoo.tasks.detection.pictures import draw_found
from zoo.weights.inputs import Preprocessing

if TYPE_CHECKING:
    from PIL.Image import Image

_SCORE_THRESHOLD = 0.3
_NMS_THRESHOLD = 0.6
_MOST_BOXES = 100
_LISTED = 5


class DetectionPredictor:
    """Boxes of at least 0.3, at most 100 a picture, in the pixels of the picture's file."""

    columns: tuple[str, ...] = ("found", "boxes")

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: Preprocessing) -> None:
        self.model = model
        self.labels = labels

    def __call__(self, images: Tensor, sizes: list[tuple[int, int]]) -> list[dict[str, Any]]:
        """Return for each picture `{"boxes": [{"label", "score", "box": [left, top, right, bottom]}]}`, best first.

        `images` are normalised, (batch, channels, height, width); `sizes` are height and width of the files.
        """
        height, width = images.shape[2:]
        with torch.inference_mode():
            logits, boxes = self.model(images)
            found = find(
                logits,
                boxes,
                (height, width),
                cast(Any, self.model).pyramid.reductions,
                score_threshold=_SCORE_THRESHOLD,
                nms_threshold=_NMS_THRESHOLD,
                most_boxes=_MOST_BOXES,
            )
        results = []
        for place, (rows, columns) in enumerate(sizes):
            kept = found.scores[place] > 0
            scale = torch.tensor([columns / width, rows / height] * 2)
            corners = (found.boxes[place][kept].cpu() * scale).tolist()
            scores, classes = found.scores[place][kept].tolist(), found.classes[place][kept].tolist()
            results.append(
                {
                    "boxes": [
                        {"label": self.labels[kind], "score": round(score, 4), "box": [round(side, 1) for side in box]}
                        for box, score, kind in zip(corners, scores, classes, strict=True)
                    ]
                }
            )
        return results

    def draw(self, picture: "Image", result: dict[str, Any]) -> "Image":
        """Return the picture with the boxes drawn in, enlarged where it is small."""
        found = result["boxes"]
        kinds = [self.labels.index(item["label"]) for item in found]
        scores = [item["score"] for item in found]
        return draw_found(picture, [item["box"] for item in found], kinds, scores, self.labels)

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return how many of each label were found, and the first few boxes."""
        names = [item["label"] for item in result["boxes"]]
        counts = ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(names))
        boxes = [
            f"{item['label']} {item['score']:.2f} at {', '.join(f'{side:.0f}' for side in item['box'])}"
            for item in result["boxes"][:_LISTED]
        ]
        more = len(names) - len(boxes)
        return [counts or "nothing", "; ".join(boxes) + (f"; and {more} more" if more > 0 else "")]
