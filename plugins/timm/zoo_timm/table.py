"""What is known of timm's architectures and weights, from a table that ships in the wheel; it is read when asked for.

tools/make_table.py writes it; timm is not imported.
"""

import gzip
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

import zoo

_PYRAMID = {8, 16, 32}
_ACCURACY = "imagenet-1k accuracy"


class Prepared(Struct, array_like=True, frozen=True):
    """How timm prepares pictures for an architecture, where weights say nothing else."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    crop: float
    crop_mode: str
    interpolation: str


class Architecture(Struct, array_like=True, frozen=True):
    """One architecture as timm makes it by default.

    `sized` tells whether it is made for one size of inputs. `stem` is the convolution whose weight tells the channels,
    "" where there is none, `first` the tensor that comes first, `classifier` the weight of the head. `features` are
    runs of maps alike: channels, reduction, how many. `macs` are the multiply-adds that timm published, for inputs of
    `macs_size`.
    """

    module: str
    kind: str
    parameters: int
    num_classes: int
    num_features: int
    image_size: tuple[int, int]
    sized: bool
    stem: str
    first: str
    classifier: str
    features: tuple[tuple[int, int, int], ...]
    macs: int | None
    macs_size: int | None
    prepared: Prepared | None


class Weights(Struct, array_like=True, frozen=True):
    """Weights that timm names: the Hub's repo, what they may be used for, and what timm measured them to score."""

    repo: str
    license: str
    data: tuple[str, ...]
    num_classes: int
    top1: float | None
    top5: float | None
    scored_size: int | None


class Table(Struct, frozen=True):
    """All of it, of one version of timm; `scored` is the day of timm's results."""

    timm: str
    scored: str
    architectures: dict[str, Architecture]
    weights: dict[str, Weights]


@cache
def table() -> Table:
    """Read the table."""
    content = files("zoo_timm").joinpath("table.json.gz").read_bytes()
    return msgspec.json.decode(gzip.decompress(content), type=Table)


class Family:
    """timm's models and weights as Zoo lists them. Keeps `zoo.Family`."""

    def models(self) -> Collection[str]:
        """Return the names of the architectures."""
        return table().architectures.keys()

    def model(self, name: str) -> zoo.ModelSpec:
        """Return the spec of one of them."""
        row = table().architectures[name]
        height, width = row.image_size
        pyramid = _PYRAMID & {reduction for _, reduction, _ in row.features}
        return zoo.ModelSpec(
            name=name,
            family="timm",
            summary=f"timm's {row.kind} ({row.module}), for {height}x{width}",
            target=f"zoo_timm.model:{'sized_backbone' if row.sized else 'backbone'}",
            task="image-classification" if row.num_classes else "image-feature-extraction",
            capabilities=("features", "detection-ready") if pyramid else ("features",),
            arguments={"architecture": name, "num_classes": row.num_classes},
            limits={"channels": 1024, "image_size": 8192},
            parameters=row.parameters,
            layouts=f"zoo_timm.layouts:{name}",
            fallback=True,
        )

    def weights(self) -> Collection[str]:
        """Return the names of the weights."""
        return table().weights.keys()

    def entry(self, name: str) -> Mapping[str, Any]:
        """Return what is known of weights; nobody has pinned their bytes."""
        row, architecture = table().weights[name], table().architectures[name.partition(".")[0]]
        return {
            "repo": row.repo,
            "task": "image-classification" if row.num_classes else "image-feature-extraction",
            "license": row.license,
            "summary": f"timm's {name}",
            "data": ", ".join(row.data) or None,
            "parameters": architecture.parameters,
            "scores": {} if row.top1 is None else {_ACCURACY: row.top1},
        }


family = Family()
