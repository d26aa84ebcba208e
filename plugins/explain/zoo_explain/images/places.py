"""What of boxes and of masks is explained: the logit of one box's class, or those of a class where it is seen."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

import zoo
from zoo_explain.images.subjects import Chosen, class_index


class BoxSubject:
    """The logit of the class of one box: the best one, that of a number (`2` is the second), or the best of a class."""

    local = True

    def __init__(self, loaded: zoo.Loaded) -> None:
        self.model: Any = loaded.model
        self.labels: tuple[str, ...] = loaded.description.labels
        self.predictor: Any = zoo.task_predictor(loaded.model, loaded.description, loaded.description.preprocessing)

    def choose(self, images: Tensor, target: str | None, sizes: Sequence[tuple[int, int]]) -> Chosen:
        with torch.no_grad():
            logits, boxes = self.model(images)
        found = self.predictor(images, sizes)
        places, names, scores, drawn = [], [], [], []
        for row, own, size, result in zip(logits, boxes, sizes, found, strict=True):
            item = self._asked(result["boxes"], target)
            scale = [images.shape[3] / size[1], images.shape[2] / size[0]] * 2
            corners = torch.tensor(item["box"], device=own.device) * torch.tensor(scale, device=own.device)
            kind = self.labels.index(item["label"])
            # the same box, to the rounding of what is predicted, with the score that is nearest
            apart = (own.clamp(min=0) - corners).abs().amax(1) + 100 * (row[:, kind].sigmoid() - item["score"]).abs()
            places.append(int(apart.argmin()) * row.shape[1] + kind)
            names.append(f"{item['label']} at {', '.join(f'{side:.0f}' for side in item['box'])}")
            scores.append(float(item["score"]))
            drawn.append(tuple(item["box"]))
        return Chosen((torch.tensor(places, device=images.device),), names, scores, tuple(drawn))

    def score(self, images: Tensor, *arguments: Tensor) -> Tensor:
        logits, _ = self.model(images)
        found: Tensor = logits.flatten(1).gather(1, arguments[0][:, None])[:, 0]
        return found

    def likely(self, images: Tensor, *arguments: Tensor) -> Tensor:
        return self.score(images, *arguments).float().sigmoid()

    def _asked(self, boxes: Sequence[dict[str, Any]], target: str | None) -> dict[str, Any]:
        if not boxes:
            raise zoo.DataError("nothing is found in an image, so there is no box to explain; leave it out")
        if target is None:
            return boxes[0]
        if target.isdecimal():
            if not 1 <= int(target) <= len(boxes):
                raise zoo.UsageError(f"no box {target}; an image has {len(boxes)}, numbered from 1, the best first")
            return boxes[int(target) - 1]
        class_index(target, self.labels)
        of_class = [box for box in boxes if box["label"] == target]
        if not of_class:
            raise zoo.DataError(f"no {target} is found in an image, so there is no box to explain; leave it out")
        return of_class[0]


class MaskSubject:
    """The mean logit of a class over the pixels where it is seen; that of the class with most pixels unless asked."""

    local = True

    def __init__(self, loaded: zoo.Loaded) -> None:
        self.model: Any = loaded.model
        self.labels: tuple[str, ...] = loaded.description.labels

    def choose(self, images: Tensor, target: str | None, sizes: Sequence[tuple[int, int]]) -> Chosen:
        with torch.no_grad():
            logits = self.model(images).float()
        seen = logits.argmax(1)
        if target is None:
            counts = torch.stack([(seen == place).sum((1, 2)) for place in range(logits.shape[1])], 1)
            places = counts.argmax(1)
        else:
            places = torch.full((len(images),), class_index(target, self.labels), device=images.device)
        regions = (seen == places[:, None, None]).float()
        if bool((regions.sum((1, 2)) == 0).any()):
            raise zoo.DataError(f"no {target} is seen in an image, so there is no mask to explain; leave it out")
        scores = _mean(logits.softmax(1), places, regions).tolist()
        return Chosen((places, regions), [self.labels[place] for place in places.tolist()], scores)

    def score(self, images: Tensor, *arguments: Tensor) -> Tensor:
        return _mean(self.model(images), *arguments)

    def likely(self, images: Tensor, *arguments: Tensor) -> Tensor:
        return _mean(self.model(images).float().softmax(1), *arguments)


def _mean(values: Tensor, places: Tensor, regions: Tensor) -> Tensor:
    own = values[torch.arange(len(values), device=values.device), places]
    return (own * regions).sum((1, 2)) / regions.sum((1, 2)).clamp(min=1)
