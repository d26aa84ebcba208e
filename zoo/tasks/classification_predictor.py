"""Say which class pictures show, or which classes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from zoo.data.images.lettering import TEXT, enlarged, shown_name, with_caption
from zoo.errors import IntegrityError
from zoo.tasks.multi_label import MultiLabelClassifier, seen
from zoo.weights.inputs import Preprocessing

if TYPE_CHECKING:
    from PIL.Image import Image

_LISTED = 5


class ClassificationPredictor:
    """The five most probable classes of each picture; where it may show several, those that are likelier than not."""

    columns = ("label", "score", "next")

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: Preprocessing) -> None:
        self.model = model
        self.labels = labels
        self.several = isinstance(model, MultiLabelClassifier)

    def __call__(self, images: Tensor, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        """Return `{"predictions": [{"label", "score"}, …]}` for each picture, the most probable class first."""
        return classes_of(self.model(images).float(), self.labels, several=self.several)

    def row(self, result: dict[str, Any]) -> list[str]:
        """Return the class, its probability, and what else it might be."""
        return class_row(result, several=self.several)

    def draw(self, picture: "Image", result: dict[str, Any]) -> "Image":
        """Return the picture with the class and its probability written above it."""
        listed = result["predictions"] if self.several else result["predictions"][:1]
        text = ", ".join(f"{shown_name(item['label'])} {item['score']:.2f}" for item in listed) or "none"
        drawn, _ = enlarged(picture)
        return with_caption(drawn, text, size=max(TEXT, drawn.height // 20))


def classes_of(logits: Tensor, labels: tuple[str, ...], *, several: bool) -> list[dict[str, Any]]:
    """Return `{"predictions": [{"label", "score"}, …]}` for each row, the most probable class first.

    They are the five most probable classes, or where there may be `several` those that are likelier than not.
    """
    if not bool(logits.isfinite().all()):
        raise IntegrityError(
            "the model makes NaN or infinity of these items: its weights are broken, or too coarse; `zoo verify` "
            "tells, and --dtype float32 is the finest"
        )
    if several:
        scores, indices = logits.sigmoid().sort(1, descending=True)
        listed = seen(logits).sum(1).tolist()
    else:
        scores, indices = logits.softmax(1).topk(min(_LISTED, len(labels)))
        listed = [_LISTED] * len(logits)
    rows = zip(scores.tolist(), indices.tolist(), listed, strict=True)
    return [
        {"predictions": [{"label": labels[place], "score": score} for score, place in zip(*row, strict=True)][:count]}
        for *row, count in rows
    ]


def class_row(result: dict[str, Any], *, several: bool) -> list[str]:
    """Return the class, its probability, and what else it might be."""
    if several:
        names, scores = ([item[key] for item in result["predictions"]] for key in ("label", "score"))
        return [", ".join(names) or "none", ", ".join(f"{score:.3f}" for score in scores), ""]
    first, *others = result["predictions"]
    following = ", ".join(f"{other['label']} {other['score']:.3f}" for other in others[:2])
    return [first["label"], f"{first['score']:.3f}", following]
