"""What of a prediction is explained: of each task one number for each image, of which gradients are taken."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

import zoo


class Chosen(NamedTuple):
    """What is explained of each image: what `score` takes beside the images, its names, and how likely it is.

    Where that is a box, `boxes` has its corners, in the pixels of the image's file.
    """

    arguments: tuple[Tensor, ...]
    names: list[str]
    scores: list[float]
    boxes: tuple[tuple[float, ...], ...] = ()


class Subject(Protocol):
    """A task's: it chooses what is explained, and computes its score."""

    local: bool
    """Whether the score is that of a place in the image, so that maps of all stages tell of it."""

    def choose(self, images: Tensor, target: str | None, sizes: Sequence[tuple[int, int]]) -> Chosen:
        """Choose what is predicted, or what is asked for. Raise UsageError for a target that there is not."""
        ...

    def score(self, images: Tensor, *arguments: Tensor) -> Tensor:
        """Return a number for each image, before any sigmoid or softmax."""
        ...

    def likely(self, images: Tensor, *arguments: Tensor) -> Tensor:
        """Return how likely it is, from 0 to 1, for each image."""
        ...


class ClassSubject:
    """The logit of a class."""

    local = False

    def __init__(self, loaded: zoo.Loaded, logits: Any = None) -> None:
        self.logits = logits or loaded.model
        self.labels: tuple[str, ...] = loaded.description.labels or _numbers(loaded)
        self.several = isinstance(loaded.model, zoo.Network)

    def choose(self, images: Tensor, target: str | None, sizes: Sequence[tuple[int, int]]) -> Chosen:
        with torch.no_grad():
            logits = self.logits(images).float()
        likely = logits.sigmoid() if self.several else logits.softmax(1)
        if target is None:
            places = likely.argmax(1)
        else:
            places = torch.full((len(images),), class_index(target, self.labels), device=images.device)
        scores = likely.gather(1, places[:, None])[:, 0].tolist()
        return Chosen((places,), [self.labels[place] for place in places.tolist()], scores)

    def score(self, images: Tensor, *arguments: Tensor) -> Tensor:
        logits: Tensor = self.logits(images)
        return logits.gather(1, arguments[0][:, None])[:, 0]

    def likely(self, images: Tensor, *arguments: Tensor) -> Tensor:
        logits = self.logits(images).float()
        likely: Tensor = logits.sigmoid() if self.several else logits.softmax(1)
        return likely.gather(1, arguments[0][:, None])[:, 0]


def subject_of(loaded: zoo.Loaded) -> Subject:
    """Return what is explained of loaded weights. Raise UsageError for a task of which nothing is."""
    task = loaded.description.task
    if task not in _SUBJECTS:
        known = ", ".join(_SUBJECTS)
        raise zoo.UsageError(
            f"nobody here explains {task}, which {loaded.description.architecture!r} is for; explained are {known}"
        )
    place, _, attribute = _SUBJECTS[task].partition(":")
    found: Subject = getattr(import_module(place), attribute)(loaded)
    return found


def class_index(target: str, labels: Sequence[str]) -> int:
    """Return the place of a class. Raise UsageError where there is none of this name."""
    if target not in labels:
        some = ", ".join(labels[:8]) + (" …" if len(labels) > 8 else "")
        raise zoo.UsageError(f"no class {target!r}; choose one of {some}")
    return labels.index(target)


def check_differentiable(loaded: zoo.Loaded) -> None:
    """Raise UsageError for a model without gradients: its weights are whole numbers, as after quantizing."""
    if not any(parameter.is_floating_point() for parameter in loaded.model.parameters()):
        raise zoo.UsageError(
            f"{loaded.description.architecture!r} has no weights that gradients pass through, as after quantizing; "
            "explain the weights that it was made from, or choose --method occlusion"
        )


def _numbers(loaded: zoo.Loaded) -> tuple[str, ...]:
    """Return the numbers of classes without names. Raise UsageError where there are no classes."""
    if not (count := int(getattr(loaded.model, "num_classes", 0))):
        raise zoo.UsageError(
            f"{loaded.description.architecture!r} tells no classes apart; finetune it for a task first"
        )
    return tuple(str(place) for place in range(count))


_SUBJECTS = {
    "image-classification": "zoo_explain.images.subjects:ClassSubject",
    "object-detection": "zoo_explain.images.places:BoxSubject",
    "image-segmentation": "zoo_explain.images.places:MaskSubject",
}
