"""`model.predict` against transformers' pipeline on JPEG photographs of noise, with equal weights, in turn."""

import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from part import DEVICE, Part, in_turn
from PIL import Image
from transformers import pipeline
from transformers.utils import logging

sys.path.insert(0, str(Path(__file__).parents[1]))
from predict import both, equal

_SIZE = 224


def main() -> None:
    part = Part(__doc__)
    logging.set_verbosity_error()
    count, size = (8, 64) if part.tiny else (256, _SIZE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = make_photos(folder / "photos", count)
        for model in ("resnet18",) if part.tiny else ("resnet50", "vit_base_patch16_224"):
            ours, theirs = both(model, size, folder / model, "float32", device=DEVICE.type)
            classify = pipeline(
                "image-classification",
                model=str(folder / model / "transformers"),
                device=DEVICE,
                use_fast=True,
                top_k=None,
            )
            equal(ours(photos[:4]), theirs(photos[:4]))
            paths = [str(photo) for photo in photos]
            sides = {
                "zoo": lambda ours=ours: ours(photos),
                "pipeline, one by one": lambda theirs=theirs: theirs(photos),
                "pipeline, batches of 64": partial(classify, paths, batch_size=64),
            }
            part.note(model, {"photographs": count, "size": size, **in_turn(sides, 1 if part.tiny else 5)})


def make_photos(folder: Path, count: int) -> list[Path]:
    """Write smooth noise of 500×375, which as JPEG is about as large as photographs are."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for place in range(count):
        noise = Image.fromarray(random.integers(0, 256, (94, 125, 3), np.uint8))
        noise.resize((500, 375)).save(folder / f"{place:04}.jpg", quality=90)
    return sorted(folder.iterdir())


if __name__ == "__main__":
    main()
