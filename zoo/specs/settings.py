"""The settings of a recipe: frozen, keyword-only dataclasses whose bounds stand in their annotations."""

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeVar

from msgspec import Meta

_T = TypeVar("_T")

Count = Annotated[int, Meta(ge=1)]
"""1 or more."""
NonNegative = Annotated[float, Meta(ge=0)]
"""0 or more."""
NonNegativeInt = Annotated[int, Meta(ge=0)]
"""A whole number, 0 or more."""
Positive = Annotated[float, Meta(gt=0)]
"""Above 0."""
Probability = Annotated[float, Meta(ge=0, le=1)]
"""From 0 to 1."""
Fraction = Annotated[float, Meta(gt=0, le=1)]
"""Above 0, up to 1: what is kept of a whole."""
Share = Annotated[float, Meta(ge=0, lt=1)]
"""0 or more, and below 1: a share that is dropped, or kept of what was, as a momentum."""
WeightsName = Annotated[str, Meta(extra={"names": "weights"})]
"""What `zoo.load` takes: a run's record pins it by the sha256 of its tensors, and by its commit. "" names none."""


class RateRule(NamedTuple):
    """How a rate follows from the sizes of the model and of the batch, where nobody gives it a value.

    Its default is that of models of up to so many `parameters`, at the recipe's own batch size. In larger models it
    falls with the root of their number; None: it does not. With the `batch` it grows by the root, linearly, or not.
    """

    parameters: int | None = None
    batch: Literal["root", "linear", "fixed"] = "root"

    def __str__(self) -> str:
        size = "" if self.parameters is None else f"up to {self.parameters:,} parameters, falls with their root above"
        grows = {"root": "grows with the root of batch_size", "linear": "grows with batch_size", "fixed": ""}
        return "; ".join(filter(None, (size, grows[self.batch])))


def rate_by_size(
    parameters: int | None = None, batch: Literal["root", "linear", "fixed"] = "root", *, most: float | None = None
) -> Meta:
    """Annotate a rate of a recipe that follows `RateRule`: `Annotated[float, zoo.rate_by_size(4_000_000)]`.

    `most` bounds what can be given for it.
    """
    return Meta(gt=0, le=most, extra={"rate": RateRule(parameters, batch)})


def rate_rules(settings: type["TrainingSettings"]) -> dict[str, RateRule]:
    """Return the settings of a recipe that follow a rule, with it."""
    return _annotated(settings, "rate", RateRule)


def by_data(kind: str) -> Meta:
    """Annotate a setting that "auto" leaves to the data: `Annotated[zoo.Augmentation, zoo.by_data("augmentation")]`.

    What it becomes is chosen by the modality, which knows such a `kind` of choice. One that knows none, and a run that
    is too short to be worth it, leave "auto".
    """
    return Meta(extra={"by_data": kind})


def settings_by_data(settings: type["TrainingSettings"]) -> dict[str, str]:
    """Return the settings of a recipe that may be left to the data, each with its kind of choice."""
    return _annotated(settings, "by_data", str)


def _annotated(settings: type["TrainingSettings"], key: str, kind: type[_T]) -> dict[str, _T]:
    found = {}
    for name, hint in typing.get_type_hints(settings, include_extras=True).items():
        for item in getattr(hint, "__metadata__", ()):
            extra = getattr(item, "extra", None)
            if isinstance(extra, dict) and isinstance(value := extra.get(key), kind):
                found[name] = value
    return found


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What every recipe can be told.

    `steps` wins over `epochs` where it is given; little data is gone over until `minimum_steps`, unless `epochs` was
    asked for. `validation` is the
    share of the training split that is held out to choose the best weights by, or "split" for the validation split that
    the data come with; with 0 the last weights are exported. The test split chooses nothing.

    `batch_size` counts the samples of one optimizer step: all processes and all `accumulate` micro-batches together.
    `momentum` is SGD's, `betas` are Adam's and AdamW's. `ema` is the decay of a moving average of the weights, 0 for
    none; `export_ema` says whether that is what is measured and exported. `clip` bounds the norm of an optimizer's
    gradients. `compile` and `activation_checkpointing` work block by block. `sync_batch_norm` takes the statistics of
    batch norm over all processes; without it each normalizes by its own share of the batch, and learns otherwise than
    one process does. Scores are taken after whole epochs, about `evaluations` times, and a checkpoint is written there
    and every `save_steps`.
    """

    renamed: ClassVar[Mapping[str, str]] = {}
    """Settings of the last release, with their present names."""

    epochs: Count = 10
    steps: Count | None = None
    minimum_steps: NonNegativeInt = 0
    batch_size: Count = 256
    sync_batch_norm: bool = False
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    learning_rate: Positive = 1e-3
    weight_decay: NonNegative = 0.0
    momentum: Share = 0.9
    betas: tuple[Share, Share] = (0.9, 0.999)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: Share = 0.05
    clip: NonNegative = 0.0
    accumulate: Count = 1
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    ema: Share = 0.0
    export_ema: bool = True
    channels_last: bool = True
    compile: bool = False
    activation_checkpointing: bool = False
    evaluations: Count = 20
    save_steps: Count | None = None
    validation: Share | Literal["split"] = 0.0
    seed: NonNegativeInt = 0


@dataclass(frozen=True, kw_only=True)
class FinetuneSettings(TrainingSettings):
    """What every recipe that finetunes can be told. `learning_rate` is that of what is new: the head.

    `full` trains everything, the pretrained layers at `backbone_rate` times the rate, each layer below at `layer_decay`
    times that. `gradual` does so too, but lets one layer after the other begin, from the last to the first, over the
    first half of the training (Howard and Ruder, 2018). `frozen` trains what is new alone. `lora` adds to each
    convolution and linear layer a trained correction of rank `lora_rank`, scaled by `lora_alpha / lora_rank`
    (Hu et al., 2021). `scratch` begins at random weights, at the full rate, to compare with; for it the name of a model
    will do. Plugins offer others.

    Under `full` and `gradual` the head alone learns over the first `head_first` of the training, so that what it still
    says at random does not change what lies below (Kumar et al., 2022).

    With `folds` the number of steps, `head_first` and the rates below are planned by the data: the rule's steps, a half
    and a quarter of them, then the head first, then the full rate everywhere, are tried with as many parts held out,
    each drawn by itself: of a size to match, or of 500 samples and more tenths. That takes about 4 times as many runs
    as there are folds; with 0 the rule decides.

    `image_size` (height, width) is what pictures are scaled to; None takes that of the weights, and where boxes or
    masks are learnt the pictures' own.
    """

    method: str = "full"
    backbone_rate: Fraction = 0.5
    layer_decay: Fraction = 0.8
    head_first: Share = 0.0
    folds: Annotated[int, Meta(ge=0, le=20)] = 0
    lora_rank: Count = 8
    lora_alpha: Positive = 16.0
    image_size: tuple[Count, Count] | None = None

    @property
    def crops(self) -> bool:
        """Whether training cuts parts out of pictures, and so is to get photographs whole."""
        return False


@dataclass(frozen=True, kw_only=True)
class LanguageSettings(TrainingSettings):
    """What every recipe that pretrains on text can be told.

    `tokenizer` is bytes, characters, bpe:SIZE or wordpiece:SIZE, learnt from the training split (auto: of a size that
    fits it), or a tokenizer.json, or weights that come with one; it gets `sentinels` tokens that stand for spans. Texts
    lie in a row, each ended by a token, and are cut into windows of `max_tokens`.

    `start` names weights that the model begins at, as far as tensors have the same name and shape; of its tables of
    tokens it takes the rows of those tokens that both know.
    """

    betas: tuple[Share, Share] = (0.9, 0.95)
    tokenizer: str = "bpe:8000"
    sentinels: Annotated[int, Meta(ge=0, le=10_000)] = 0
    max_tokens: Count = 128
    start: WeightsName = ""


@dataclass(frozen=True, kw_only=True)
class TextFinetuneSettings(FinetuneSettings):
    """What every recipe that finetunes on text can be told.

    Texts are truncated after `max_tokens`, their targets after `max_target_tokens`; or sooner, where the model has no
    more positions. `tokenizer` is that of a model which is trained from scratch by its name, as `zoo.LanguageSettings`
    have it, learnt from texts and targets; None takes the kind that the model is pretrained with. Weights have their
    own.
    """

    renamed: ClassVar[Mapping[str, str]] = {"max_written": "max_target_tokens"}
    tokenizer: str | None = None
    max_tokens: Count = 128
    max_target_tokens: Count = 64
