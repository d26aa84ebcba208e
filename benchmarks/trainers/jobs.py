"""What is trained: a model, tensors in memory, a loss and an optimizer, the same for every trainer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.mnist import fashion_mnist, fashion_mnist_sample, find_fashion_mnist
from zoo.data.images.open import fit

Batch = Mapping[str, Tensor]


@dataclass(frozen=True)
class Job:
    """One training. `recipe` and `settings` are what zoo is told so that it does the same.

    With `accumulate` above 1 it also clips and keeps a moving average; then only the loop by hand and zoo take part.
    """

    title: str
    images: np.ndarray
    labels: np.ndarray
    batch_size: int
    make_model: Callable[[], nn.Module]
    loss: Callable[[Any, Batch], Tensor]
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    timm_optimizer: Mapping[str, Any]
    recipe: str
    settings: Mapping[str, Any]
    classes: tuple[str, ...]
    warmup: int
    steps: int
    turns: int
    accumulate: int = 1
    clip: float = 0.0
    ema: float = 0.0

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """All samples: `images`, floats in [0, 1], and `labels`."""
        images = torch.from_numpy(np.array(self.images)).float().div_(255)
        return {"images": images, "labels": torch.from_numpy(np.array(self.labels))}

    def batches(self) -> Iterator[dict[str, Tensor]]:
        """Yield an epoch of shuffled batches, by the fastest way there is: one gather a tensor."""
        order = torch.randperm(len(self.images))
        for place in range(0, len(order) - self.batch_size + 1, self.batch_size):
            index = order[place : place + self.batch_size]
            yield {name: tensor[index] for name, tensor in self.tensors.items()}


def dense(data_dir: Path | None) -> Job:
    """The textbook autoencoder as its recipe trains it, with batches of 64: a step of a millisecond."""
    data = _fashion_mnist(data_dir)
    rate = 1e-3
    return Job(
        title=f"dense_autoencoder, batch 64, {data.name}, fused Adam",
        images=data.splits["train"].images,
        labels=_labels(data),
        batch_size=64,
        make_model=lambda: zoo.create("dense_autoencoder"),
        loss=_reconstruction_loss,
        make_optimizer=lambda model: torch.optim.Adam(model.parameters(), rate, fused=True),
        timm_optimizer={"opt": "adam", "lr": rate, "fused": True},
        recipe="reconstruction",
        settings={
            "loss": "binary_cross_entropy",
            "optimizer": "adam",
            "learning_rate": rate,
            "weight_decay": 0,
            "batch_size": 64,
            "schedule": "constant",
            "warmup": 0,
        },
        classes=(),
        warmup=5,
        steps=40,
        turns=80,
    )


def resnet18(data_dir: Path | None) -> Job:
    """A network of 11 million parameters at 32×32."""
    data = fit(_fashion_mnist(data_dir), (32, 32), 3)
    count, rate = 5000, 0.01
    return Job(
        title=f"ResNet-18 at 32×32, batch 16, {data.name}, fused SGD with Nesterov momentum, channels last",
        images=data.splits["train"].images[:count],
        labels=_labels(data)[:count],
        batch_size=16,
        make_model=lambda: zoo.create("resnet18", cifar_stem=True, num_classes=10).to(
            memory_format=torch.channels_last
        ),
        loss=_classification_loss,
        make_optimizer=lambda model: torch.optim.SGD(model.parameters(), rate, 0.9, nesterov=True, fused=True),
        timm_optimizer={"opt": "sgd", "lr": rate, "momentum": 0.9, "fused": True},
        recipe="image_classification",
        settings={
            "method": "scratch",
            "optimizer": "sgd",
            "learning_rate": rate,
            "momentum": 0.9,
            "weight_decay": 0,
            "batch_size": 16,
            "schedule": "constant",
            "warmup": 0,
            "augmentation": "none",
            "label_smoothing": 0,
        },
        classes=tuple(data.classes),
        warmup=1,
        steps=2,
        turns=10,
    )


def with_all(job: Job) -> Job:
    """The same in four micro-batches a step, with clipping and a moving average of the weights."""
    extras: dict[str, Any] = {"accumulate": 4, "clip": 1.0, "ema": 0.99}
    title = f"{job.title}, 4 micro-batches, clipping, moving average"
    return replace(job, title=title, settings={**job.settings, **extras}, **extras)


JOBS: dict[str, Callable[[Path | None], Job]] = {
    "dense": dense,
    "resnet18": resnet18,
    "dense-with-all": lambda data_dir: with_all(dense(data_dir)),
    "resnet18-with-all": lambda data_dir: with_all(resnet18(data_dir)),
}


def _reconstruction_loss(model: Any, batch: Batch) -> Tensor:
    return F.binary_cross_entropy_with_logits(model.reconstruct_logits(batch["images"]), batch["images"])


def _classification_loss(model: nn.Module, batch: Batch) -> Tensor:
    return F.cross_entropy(model(batch["images"]), batch["labels"])


def _fashion_mnist(data_dir: Path | None) -> ImageDataset:
    found = data_dir is not None or find_fashion_mnist()
    return fashion_mnist(data_dir) if found else fashion_mnist_sample(None)


def _labels(data: ImageDataset) -> np.ndarray:
    labels = data.splits["train"].labels
    assert labels is not None, "Fashion-MNIST has labels"
    return labels
