"""The field's own scores of detectors: average precision as pycocotools and as the devkit of Pascal VOC count it."""

import contextlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.data.arrays import CROWD, DIFFICULT
from zoo.extras import require
from zoo.tasks.detection.voc_scores import voc_precision

Rows = NDArray[np.float32]
_LARGEST = 1e10
"""The largest area that is scored, as of pycocotools' `all`."""
_SPARED: dict[int, dict[str, bool]] = {CROWD: {"crowd": True}, DIFFICULT: {"difficult": True}}
"""What is said of a box that is not scored."""


class AveragePrecision:
    """Take in pictures one by one, and score them all together."""

    def __init__(self, classes: Sequence[str], *, most_boxes: int) -> None:
        self.classes = tuple(classes)
        self.most_boxes = most_boxes
        self._pictures: list[tuple[Rows, Rows]] = []
        self._images: list[dict[str, Any]] = []
        self._truth: list[dict[str, Any]] = []
        self._found: list[dict[str, Any]] = []

    def add(self, found: Rows, truth: Rows, size: tuple[int, int]) -> None:
        """Add a picture of this height and width in pixels.

        `found` has rows of left, top, right, bottom, class, score; `truth` of left, top, right, bottom, class, and 0,
        or CROWD or DIFFICULT for what is not scored. What lies in a crowd, and what fits something difficult, is
        neither right nor wrong.
        """
        self._pictures.append((found, truth))
        picture = len(self._images) + 1
        self._images.append({"id": picture, "height": size[0], "width": size[1]})
        for row in truth.tolist():
            kind: dict[str, float] = {"iscrowd": int(row[5] == CROWD)}
            if row[5] > CROWD:  # pycocotools overwrites `ignore`; what has no size that is scored it ignores by IoU
                kind["area"] = 2 * _LARGEST
            self._truth.append(_described(row, picture, len(self._truth) + 1) | kind)
        for row in found.tolist():
            self._found.append(_described(row, picture, len(self._found) + 1) | {"score": row[5]})

    def scores(self) -> dict[str, float]:
        """Return `ap` over IoU from 0.50 to 0.95, `ap50`, `ap75` and `ap50/<class>` of COCO, and VOC's, as shares.

        `ap50_voc` is the mean over classes of the whole area below the curve at IoU 0.50, where COCO samples it at 101
        recalls, and lets a box that is found take the best place that is free rather than the best.
        Classes without a box to find do not count; without any, all is 0.
        """
        precision = self._evaluate()["precision"][..., 0, -1]  # (IoU, recall, class)
        by_class = np.where(precision > -1, precision, np.nan).mean(1)  # (IoU, class)
        present = ~np.isnan(by_class[0])
        if not present.any():
            return {"ap": 0.0, "ap50": 0.0, "ap75": 0.0, "ap50_voc": 0.0}
        metrics = {"ap": by_class[:, present], "ap50": by_class[0, present], "ap75": by_class[5, present]}
        metrics["ap50_voc"] = voc_precision(self._pictures, len(self.classes))[present]
        named = {f"ap50/{name}": by_class[0, place] for place, name in enumerate(self.classes) if present[place]}
        return {name: float(np.mean(values)) for name, values in (metrics | named).items()}

    def each(self) -> list[dict[str, Any]]:
        """Return for each picture, in turn, its `boxes` and the `reference`, in the pixels of its file."""
        return [
            {
                "boxes": [{**self._named(row), "score": round(row[5], 4)} for row in found.tolist()],
                "reference": [self._named(row) | _SPARED.get(int(row[5]), {}) for row in truth.tolist()],
            }
            for found, truth in self._pictures
        ]

    def _named(self, row: Sequence[float]) -> dict[str, Any]:
        return {"label": self.classes[int(row[4])], "box": [round(side, 1) for side in row[:4]]}

    def curves(self) -> dict[str, NDArray[np.float64]]:
        """Return for each class with boxes to find its precision at IoU 0.50 over recalls 0, 0.01 … 1."""
        precision = self._evaluate()["precision"][0, :, :, 0, -1]
        return {
            name: precision[:, place] for place, name in enumerate(self.classes) if (precision[:, place] > -1).all()
        }

    def _evaluate(self) -> dict[str, NDArray[np.float64]]:
        require("average precision", "pycocotools")
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        categories = [{"id": place, "name": name} for place, name in enumerate(self.classes)]
        with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints what it does
            truth, found = COCO(), COCO()
            for coco, annotations in ((truth, self._truth), (found, self._found)):
                coco.dataset = {"images": self._images, "categories": categories, "annotations": annotations}
                coco.createIndex()
            evaluation = COCOeval(truth, found, "bbox")
            evaluation.params.maxDets = [self.most_boxes]
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, _LARGEST]], ["all"]
            evaluation.evaluate()
            evaluation.accumulate()
        result: dict[str, NDArray[np.float64]] = evaluation.eval
        return result


def _described(row: Sequence[float], picture: int, number: int) -> dict[str, Any]:
    left, top, right, bottom = row[:4]
    box = [left, top, right - left, bottom - top]
    return {
        "id": number,
        "image_id": picture,
        "category_id": int(row[4]),
        "bbox": box,
        "area": max(box[2], 0) * max(box[3], 0),
    }
