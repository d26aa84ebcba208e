"""Examine a finetuned classifier on data: everything that its page shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import zoo
from zoo_explain.examining.calibration import Calibration, calibration
from zoo_explain.examining.label_errors import available, label_errors
from zoo_explain.examining.samples import Samples, near_duplicates, samples_of
from zoo_explain.examining.slices import Slice, by_class, by_size, slices, wilson

_DRAWN = 24
_LEARNT = 10_000


@dataclass(frozen=True)
class Shown:
    """One sample to look at: as HTML, what it is called, and what is said of it."""

    html: str = field(repr=False)
    name: str
    said: str


@dataclass(frozen=True)
class Examined:
    """What was found. `interval` is that of the accuracy; `confusion` counts by true class, then by predicted one.

    `suspects` are samples of the training split whose labels are probably wrong, None where that was not looked at.
    """

    samples: int
    accuracy: float
    interval: tuple[float, float]
    classes: tuple[str, ...]
    calibration: Calibration
    confusion: NDArray[np.int64]
    mistakes: list[Shown]
    slices: list[Slice]
    duplicates: list[tuple[Shown, Shown]]
    num_duplicates: int
    suspects: list[Shown] | None
    num_suspects: int
    looked_at: int


def examine(weights: str, data: str, *, labels: bool = True, seed: int = 0, **where: Any) -> Examined:
    """Examine weights on the test split, and with `labels` those of up to 10,000 samples of the training split.

    `where` are hub, device, columns and data_options, as `zoo.answers` takes them. Raise UsageError for weights that do
    not choose one class of several.
    """
    answers = zoo.answers(weights, data=data, **where)["test"]
    if answers.labels.ndim != 1:
        raise zoo.UsageError(
            f"{weights} lets a sample have several classes; zoo examine looks at those that choose one"
        )
    splits = answers.dataset.splits
    test = samples_of(splits["test"], "test")
    train = samples_of(splits["train"], "train") if "train" in splits else None
    truth, said = answers.labels.numpy(), answers.logits.argmax(1).numpy()
    right = said == truth
    groups = by_class(truth, answers.classes)
    for name, values in test.figures().items():
        groups |= by_size(name, values)
    copies = near_duplicates(train, test) if train is not None else []
    suspects, count, looked_at = None, 0, 0
    if labels and train is not None and available():
        known = np.asarray(splits["train"].labels)
        suspects, count, looked_at = _suspects(weights, train, known, answers.classes, seed, where)
    return Examined(
        samples=len(truth),
        accuracy=float(right.mean()),
        interval=wilson(int(right.sum()), len(right)),
        classes=answers.classes,
        calibration=calibration(answers.logits, answers.labels, seed),
        confusion=_confusion(truth, said, len(answers.classes)),
        mistakes=_mistakes(test, answers.logits, truth, answers.classes),
        slices=slices(right, groups),
        duplicates=[
            (_plain(train, one), _plain(test, other)) for one, other in copies[: _DRAWN // 2] if train is not None
        ],
        num_duplicates=len({other for _, other in copies}),
        suspects=suspects,
        num_suspects=count,
        looked_at=looked_at,
    )


def _confusion(truth: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    return np.bincount(truth * classes + said, minlength=classes * classes).reshape(classes, classes)


def _mistakes(test: Samples, logits: Tensor, truth: NDArray[np.int64], classes: Sequence[str]) -> list[Shown]:
    """Return the mistakes that the model is surest of."""
    confidence, said = logits.double().softmax(1).max(1)
    wrong = np.flatnonzero(said.numpy() != truth)
    first = wrong[np.argsort(-confidence.numpy()[wrong], kind="stable")][:_DRAWN]
    return [
        Shown(
            test.shown(place),
            test.name(place),
            f"{classes[int(said[place])]} {float(confidence[place]):.2f}, labelled {classes[truth[place]]}",
        )
        for place in first.tolist()
    ]


def _suspects(
    weights: str, train: Samples, labels: NDArray[np.int64], classes: Sequence[str], seed: int, where: dict[str, Any]
) -> tuple[list[Shown], int, int]:
    places = np.arange(len(train))
    if len(places) > _LEARNT:
        places = np.sort(np.random.default_rng(seed).permutation(len(places))[:_LEARNT])
    model = zoo.load(weights, hub=where.get("hub"), device=where.get("device"))
    found, chances = label_errors(train.features(model, places), labels[places], seed)
    shown = []
    for number in found[:_DRAWN].tolist():
        place, likely = int(places[number]), int(chances[number].argmax())
        said = f"labelled {classes[labels[place]]}, looks like {classes[likely]} {chances[number][likely]:.2f}"
        shown.append(Shown(train.shown(place), train.name(place), said))
    return shown, len(found), len(places)


def _plain(samples: Samples, place: int) -> Shown:
    return Shown(samples.shown(place), samples.name(place), "")
