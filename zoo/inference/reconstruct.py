"""Reconstruct images with an autoencoder."""

from pathlib import Path

import torch

from zoo.data.images.listing import pictures_in
from zoo.data.images.pictures import distinct_names, read_pictures, write_picture
from zoo.engine.pictures import image_grid
from zoo.errors import UsageError
from zoo.files import storage_errors
from zoo.weights.config import read_config
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import load_weights


def reconstruct_pictures(weights: str | Path, images: list[Path], out: Path, *, hub: str | Path | None) -> list[Path]:
    """Write `<name>.png` for every picture and `reconstructions.png`, inputs over outputs; return the paths."""
    folder = find_weights(weights, WeightsQuery(hub=hub))
    block = read_config(folder)
    model = load_weights(folder, block, dtype="float32")
    if not callable(getattr(model, "reconstruct", None)) or block.preprocessing is None:
        raise UsageError(
            f"{weights} holds {block.architecture!r}, which does not reconstruct images; give an autoencoder"
        )
    images = pictures_in(images)
    size, channels = block.preprocessing.image_size, block.preprocessing.channels
    inputs = read_pictures(images, image_size=size, channels=channels)
    with torch.inference_mode():
        outputs = model.reconstruct(inputs)  # type: ignore[operator]  # checked above; any plugin's model may have it
    with storage_errors(f"writing pictures to {out}"):
        out.mkdir(parents=True, exist_ok=True)
        named = zip(distinct_names(images), outputs, strict=True)
        written = [write_picture(output, out / f"{name}.png") for name, output in named]
        return [*written, image_grid([inputs, outputs], out / "reconstructions.png")]
