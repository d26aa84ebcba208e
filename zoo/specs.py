"""The frozen records that a plugin hands over. No code in them: a target is imported on first use.

A name that can be typed is lower-case: letters, digits and `_` (tasks: `-`, as the Hub spells its tags).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal, get_args

Modality = Literal["image", "text"]
Stage = Literal["pretrain", "finetune"]
Target = Literal["images", "labels", "boxes", "masks", "tokens", "written"]
Capability = Literal[
    "features", "detection-ready", "embed", "reconstruct", "sample", "language-model", "generate", "encode-decode"
]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,95}")
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def _check(spec: Any, targets: tuple[str, ...] = ("target",)) -> None:
    for name in (item.name for item in fields(spec) if item.name in ("name", "family")):
        if not isinstance(value := getattr(spec, name), str) or not _NAME.fullmatch(value):
            raise ValueError(
                f"{name} {value!r} of a {type(spec).__name__} must be lower-case letters, digits, '_' or '-'"
            )
    for name in targets:
        if not isinstance(value := getattr(spec, name), str) or not _TARGET.fullmatch(value):
            raise ValueError(f"{name} {value!r} of {spec.name!r} must be 'package.module:attribute'")


def _check_choice(spec: Any, name: str, choices: Any) -> None:
    value = getattr(spec, name)
    if value not in get_args(choices):
        raise ValueError(f"{name} {value!r} of {spec.name!r} must be one of {', '.join(get_args(choices))}")


def _frozen(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(values))


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One architecture.

    `target` is a callable of JSON-able keyword arguments that returns an `nn.Module`; `arguments` are the ones this
    name fixes. `limits` bounds integer arguments, and lists of them, that a config.json may ask for.
    `parameters` counts the weights with default arguments. `recipe` is the recipe that pretrains it unless another is
    asked for, and `settings` what it changes of that recipe's defaults. `layouts` names a tuple of `zoo.Layout`: how
    other libraries store this model.
    """

    name: str
    family: str
    summary: str
    target: str
    modality: Modality = "image"
    task: str = "image-feature-extraction"
    capabilities: tuple[Capability, ...] = ("features",)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    parameters: int | None = None
    recipe: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    layouts: str | None = None
    licence: str = "Apache-2.0"

    def __post_init__(self) -> None:
        _check(self, ("target",) if self.layouts is None else ("target", "layouts"))
        _check_choice(self, "modality", Modality)
        for capability in self.capabilities:
            if capability not in get_args(Capability):
                allowed = ", ".join(get_args(Capability))
                raise ValueError(f"capability {capability!r} of {self.name!r} must be one of {allowed}")
        for name in ("arguments", "limits", "settings"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))


@dataclass(frozen=True, kw_only=True)
class RecipeSpec:
    """One way to train.

    `target` is a class that keeps the `zoo.Recipe` protocol, `settings` a frozen dataclass that extends
    `zoo.TrainingSettings`. `requires` names the capabilities that a model must have, `labels` says that the data must
    be labelled; `score` is the figure that decides which of two trained models is the better one.
    """

    name: str
    stage: Stage
    summary: str
    target: str
    settings: str
    task: str
    score: str
    higher_is_better: bool = False
    modality: Modality = "image"
    requires: tuple[Capability, ...] = ()
    labels: bool = False

    def __post_init__(self) -> None:
        _check(self, ("target", "settings"))
        _check_choice(self, "stage", Stage)
        _check_choice(self, "modality", Modality)


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """What a finetuned model is for, named by the Hub's tag. `recipe` names the recipe that finetunes for it.

    `learns_from` is what every sample must have besides the picture or the text; "images" and "tokens" are nothing, and
    "written" is what a model is to write for a text. The targets are callables:
    `network(backbone, num_classes, **arguments)` makes the task's `zoo.Network`, None where the backbone's own
    classifier is enough; `reader(folder, *, image_size, channels, skip_bad, stream)` opens a folder of this task's data
    as a `zoo.ImageDataset`, None where it has one folder a class; `predictor(model, labels)` makes a `zoo.Predictor`,
    and of text `predictor(model, labels, inputs)` a `zoo.TextPredictor`.
    """

    name: str
    summary: str
    recipe: str
    score: str
    modality: Modality = "image"
    learns_from: Target = "labels"
    network: str | None = None
    reader: str | None = None
    predictor: str | None = None

    def __post_init__(self) -> None:
        _check(self, tuple(name for name in ("network", "reader", "predictor") if getattr(self, name) is not None))
        _check_choice(self, "modality", Modality)
        _check_choice(self, "learns_from", Target)


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """One data set by name.

    `target` is a callable of `data_dir: Path | None` that returns a `zoo.ImageDataset`, or a `zoo.TextDataset`.
    """

    name: str
    summary: str
    target: str
    modality: Modality = "image"
    task: str = "image-classification"
    licence: str = "unknown"

    def __post_init__(self) -> None:
        _check(self)
        _check_choice(self, "modality", Modality)


@dataclass(frozen=True, kw_only=True)
class CommandSpec:
    """One subcommand of `zoo`. `target` is a `click.Command`."""

    name: str
    summary: str
    target: str

    def __post_init__(self) -> None:
        _check(self)


Spec = ModelSpec | RecipeSpec | TaskSpec | DatasetSpec | CommandSpec


def load_target(target: str) -> Any:
    """Import what `package.module:attribute` names."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)
