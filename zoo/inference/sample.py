"""Sample images from a generative model."""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zoo.data.images.pictures import write_picture
from zoo.engine.pictures import image_grid
from zoo.errors import UsageError
from zoo.files import storage_errors
from zoo.seeds import generator
from zoo.specs.backbones import ClassSampler, Sampler
from zoo.weights.config import read_config
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import load_weights

MOST = 100_000
_AT_ONCE = 64
_COLUMNS = 16
_IN_THE_GRID = 1024


def sample_pictures(
    weights: str | Path, n: int, out: Path, *, seed: int, label: int | None, each: bool, hub: str | Path | None
) -> list[Path]:
    """Write `samples.png`, a grid of the first 1,024, and with `each` also `sample-<place>.png`; return the paths.

    The same seed gives the same pictures, of which those for a smaller `n` are the first.
    """
    maximum = MOST if each else _IN_THE_GRID
    if not 0 < n <= maximum:
        more = "" if each else f", or up to {MOST:,} with each by itself (--each)"
        raise UsageError(f"{n} images were requested; request 1 to {maximum:,}{more}")
    folder = find_weights(weights, WeightsQuery(hub=hub))
    block = read_config(folder)
    model: Any = load_weights(folder, block, dtype="float32")
    if not isinstance(model, Sampler):
        raise UsageError(
            f"{weights} holds {block.architecture!r}, which cannot be sampled; `zoo list --capability sample` lists "
            "models that can"
        )
    classes = model.classes if isinstance(model, ClassSampler) else 0
    if label is not None and not 0 <= label < classes:
        has = f"classes 0 to {classes - 1}" if classes else "no classes to choose from"
        raise UsageError(f"{weights} has {has}, not {label}; choose another, or omit the label")
    pictures = _pictures(model, n, seed, label)
    with storage_errors(f"writing pictures to {out}"):
        out.mkdir(parents=True, exist_ok=True)
        digits = len(str(n - 1))
        written = [
            write_picture(picture, out / f"sample-{place:0{digits}}.png")
            for place, picture in enumerate(pictures if each else ())
        ]
        return [image_grid(_rows(pictures[:_IN_THE_GRID]), out / "samples.png"), *written]


@torch.inference_mode()
def _pictures(model: Any, n: int, seed: int, label: int | None) -> Tensor:
    """Return `n` pictures, made in whole batches of one size, so that the first ones do not depend on `n`."""
    random = generator(seed, "sample")
    requested = {} if label is None else {"labels": torch.full((_AT_ONCE,), label)}
    made = [model.sample(_AT_ONCE, generator=random, **requested) for _ in range(0, n, _AT_ONCE)]
    return torch.cat(made)[:n]


def _rows(pictures: Tensor) -> list[Tensor]:
    """Return rows of one length, about as many as there are columns; white fills the last one up."""
    columns = min(_COLUMNS, math.isqrt(len(pictures) - 1) + 1)
    missing = -len(pictures) % columns
    filled = torch.cat([pictures, pictures.new_ones(missing, *pictures.shape[1:])])
    return list(torch.split(filled, columns))
