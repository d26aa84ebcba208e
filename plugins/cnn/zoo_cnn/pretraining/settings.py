"""Settings of the recipes that pretrain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

from msgspec import Meta

import zoo


@dataclass(frozen=True, kw_only=True)
class SupervisedSettings(zoo.TrainingSettings):
    """`label_smoothing` is the share of a target that goes to all classes alike.

    `augmentation` names a policy of `zoo.augment`, or auto leaves it to the data; `mixing` names one of `zoo.mix`.
    Stochastic depth is the model's argument `drop_path_rate`.
    """

    epochs: zoo.Count = 10
    batch_size: zoo.Count = 128
    learning_rate: Annotated[float, zoo.rate_by_size(3_000_000)] = 2e-3
    weight_decay: zoo.NonNegative = 0.05
    label_smoothing: zoo.Share = 0.1
    augmentation: Annotated[zoo.Augmentation, zoo.by_data("augmentation")] = "auto"
    mixing: zoo.Mixing = "none"


@dataclass(frozen=True, kw_only=True)
class DistillationSettings(zoo.TrainingSettings):
    """`teacher` is what `zoo.load` takes; it must know classes.

    `temperature` softens what teacher and student say. Where there are labels, `hard_weight` is the share of the loss
    that they have.
    """

    teacher: zoo.WeightsName = ""
    temperature: zoo.Positive = 4.0
    hard_weight: zoo.Probability = 0.1
    epochs: zoo.Count = 10
    batch_size: zoo.Count = 128
    learning_rate: Annotated[float, zoo.rate_by_size(3_000_000)] = 2e-3
    weight_decay: zoo.NonNegative = 0.05
    augmentation: Annotated[zoo.Augmentation, zoo.by_data("augmentation")] = "auto"
    mixing: zoo.Mixing = "none"


@dataclass(frozen=True, kw_only=True)
class ViewSettings(zoo.TrainingSettings):
    """Views are crops of `crop_area` to 1 of the area, with colours changed by up to `jitter` times 0.4.

    `mirrored` flips half of them; at auto unless pictures are easily told from their mirror images.

    Crops are stretched by up to `crop_aspect`, and scaled to `view_size` of a picture's sides where the model takes
    that: they show things larger than whole pictures do, which this undoes (Touvron et al., 2019), and small views take
    less time. `grey`, `blur`, `solarize` and `erasing` are the probabilities of those.

    Where there are labels, a share `observed` of each batch is also looked at as it is: from those features a linear
    probe learns at `probe_rate`, and of the last `bank_size` of them the `neighbours` nearest vote in the k-NN score.
    The head that the loss sees has `projection_hidden` and `projection_size` units.
    """

    renamed: ClassVar[Mapping[str, str]] = {"solarise": "solarize"}
    epochs: zoo.Count = 100
    batch_size: zoo.Count = 256
    learning_rate: Annotated[float, zoo.rate_by_size(1_400_000, "linear")] = 2e-3
    weight_decay: zoo.NonNegative = 1e-4
    warmup: zoo.Share = 0.1
    crop_area: zoo.Fraction = 0.2
    crop_aspect: Annotated[float, Meta(ge=1)] = 4 / 3
    view_size: zoo.Fraction = 0.75
    mirrored: Annotated[zoo.Mirroring, zoo.by_data("mirroring")] = "auto"
    jitter: zoo.NonNegative = 1.0
    grey: zoo.Probability = 0.2
    blur: zoo.Probability = 0.0
    solarize: zoo.Probability = 0.0
    erasing: zoo.Probability = 0.0
    projection_hidden: zoo.Count = 512
    projection_size: zoo.Count = 128
    probe_rate: zoo.Positive = 1e-2
    neighbours: zoo.Count = 20
    bank_size: zoo.Count = 16_384
    observed: zoo.Fraction = 0.25


@dataclass(frozen=True, kw_only=True)
class SimCLRSettings(ViewSettings):
    """`temperature` divides the cosines of the contrastive loss."""

    temperature: zoo.Positive = 0.2


@dataclass(frozen=True, kw_only=True)
class BYOLSettings(ViewSettings):
    """`teacher_momentum` is the share of itself that the teacher keeps in a step."""

    teacher_momentum: zoo.Share = 0.99
    projection_size: zoo.Count = 256


@dataclass(frozen=True, kw_only=True)
class DINOSettings(ViewSettings):
    """`local_crops` are views of `local_area` at most, scaled to `local_size` of the sides where the model takes that.

    The rest of the area, up to 1, is what the two global views may have. `prototypes` is what the head tells apart,
    `projection_size` its narrow end.
    """

    local_crops: zoo.NonNegativeInt = 4
    local_area: zoo.Fraction = 0.4
    local_size: zoo.Fraction = 0.5
    crop_area: zoo.Fraction = 0.4
    prototypes: zoo.Count = 1024
    projection_size: zoo.Count = 128
    teacher_momentum: zoo.Share = 0.99
    teacher_temperature: zoo.Positive = 0.04
    student_temperature: zoo.Positive = 0.1
    centre_momentum: zoo.Share = 0.9
