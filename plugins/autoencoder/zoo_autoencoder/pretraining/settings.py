"""Settings of the autoencoders' recipes."""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

import zoo


@dataclass(frozen=True, kw_only=True)
class ReconstructionSettings(zoo.TrainingSettings):
    """`loss` is taken per pixel: binary cross-entropy, or the squared error of the pixels in [0, 1]."""

    loss: Literal["binary_cross_entropy", "mean_squared_error"] = "mean_squared_error"
    learning_rate: Annotated[float, zoo.rate_by_size(3_000_000)] = 2e-3
    weight_decay: zoo.NonNegative = 1e-4


@dataclass(frozen=True, kw_only=True)
class DenoisingSettings(ReconstructionSettings):
    """How a picture is corrupted, of which the whole, clean one is to be given back.

    A part of it is cut out, of `crop_area` of its area or more, and scaled to its size; 1 takes all. `covered`
    rectangles, of 5 to 30 percent of the area each, get one colour. `noise` is the standard deviation of the Gaussian
    noise that is added, of pixels in [0, 1].
    """

    noise: Annotated[float, Meta(ge=0, le=2)] = 0.1
    crop_area: zoo.Fraction = 0.5
    covered: Annotated[int, Meta(ge=0, le=16)] = 2


@dataclass(frozen=True, kw_only=True)
class SparseSettings(ReconstructionSettings):
    """`sparsity` weighs the mean size of a code's numbers against the loss per pixel."""

    sparsity: zoo.NonNegative = 1e-3


@dataclass(frozen=True, kw_only=True)
class ContractiveSettings(ReconstructionSettings):
    """`contraction` weighs the squared Jacobian of the code, per number of it, against the loss per pixel.

    It is estimated along one random direction of length `step` a picture.
    """

    contraction: zoo.NonNegative = 1e-3
    step: zoo.Fraction = 0.05


@dataclass(frozen=True, kw_only=True)
class VariationalSettings(ReconstructionSettings):
    """`beta` weighs the divergence, 1 gives the bound; `free_bits` is what each number of a code may cost, in bits.

    With a mean squared error the pixels are normal, of deviation `deviation`; cross-entropy takes them for chances.
    """

    loss: Literal["binary_cross_entropy", "mean_squared_error"] = "binary_cross_entropy"
    learning_rate: Annotated[float, zoo.rate_by_size(3_000_000)] = 1e-3
    beta: zoo.NonNegative = 1.0
    free_bits: zoo.NonNegative = 0.0
    deviation: zoo.Positive = 0.1


@dataclass(frozen=True, kw_only=True)
class VectorQuantizedSettings(ReconstructionSettings):
    """`commitment` weighs how far codes lie from their entries. `decay` is that of an entry's average.

    An entry that less than `revival` of its even share is assigned to, on the average, moves to a code of the batch.
    """

    commitment: zoo.NonNegative = 0.25
    decay: zoo.Share = 0.99
    revival: zoo.Share = 0.1


@dataclass(frozen=True, kw_only=True)
class WassersteinSettings(ReconstructionSettings):
    """`discrepancy` weighs how far the codes of a batch are from standard normal ones, against the loss per pixel."""

    discrepancy: zoo.NonNegative = 0.1
