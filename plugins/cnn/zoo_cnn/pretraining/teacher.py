"""A trained classifier that others learn from."""

from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo


@dataclass(frozen=True)
class Teacher:
    """A classifier in eval mode that no gradient reaches, with what it takes."""

    model: nn.Module
    num_classes: int
    preprocessing: zoo.Preprocessing

    @torch.no_grad()
    def logits(self, images: Tensor) -> Tensor:
        """Return the logits of pictures in [0, 1], scaled to the size that the teacher was trained on."""
        self.model.eval()
        size = list(self.preprocessing.image_size)
        if list(images.shape[2:]) != size:
            images = F.interpolate(images, size, mode="bilinear", antialias=True)
        logits: Tensor = self.model(zoo.normalize(images, self.preprocessing)).float()
        return logits


def load_teacher(
    source: str, preprocessing: zoo.Preprocessing, classes: tuple[str, ...], device: torch.device
) -> Teacher:
    """Load the weights to learn from; they must tell the classes of the data, where those are labelled.

    Raise UsageError for others, and NotFoundError where there are none of that name.
    """
    if not source:
        raise zoo.UsageError("distillation needs a teacher: --set teacher=WEIGHTS")
    block = zoo.describe(source)
    inputs = block.preprocessing or preprocessing
    channels = None if inputs.channels == preprocessing.channels else preprocessing.channels
    model = zoo.load(source, channels=channels, device=str(device)).requires_grad_(False)
    num_classes = cast(zoo.Backbone, model).num_classes
    if not num_classes:
        raise zoo.UsageError(f"teacher {source} is not a classifier; finetune it first (`zoo finetune {source} …`)")
    if classes and (len(classes) != num_classes or (block.labels and block.labels != classes)):
        raise zoo.UsageError(
            f"teacher {source} tells {num_classes} classes ({', '.join(block.labels[:3])} …), the data has "
            f"{len(classes)} ({', '.join(classes[:3])} …); choose a teacher of these, or use unlabelled images"
        )
    return Teacher(model, num_classes, inputs)
