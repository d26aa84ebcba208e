"""Draw the pictures of docs/pictures that show several runs at once; docs/gallery.md has the commands of those runs.

python docs/pictures.py autoencoders FOLDER --out FILE.png     # the runs denoising, dense and dense-variational in it
python docs/pictures.py gan RUN … --out FILE.png               # two rows of samples of each
python docs/pictures.py classes RUN --out FILE.png             # a row of samples for each class
"""

import argparse
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import zoo

_SHOWN = 16


def autoencoders(folder: Path) -> dict[str, Tensor]:
    """Return images of the test split, corrupted ones, and what the runs make of them."""
    from zoo_autoencoder.pretraining.reconstruction import corrupted
    from zoo_autoencoder.pretraining.settings import DenoisingSettings

    from zoo.data.images.idx import read_idx

    path = Path(os.environ["ZOO_DATA"]) / "fashion-mnist" / "t10k-images-idx3-ubyte.gz"
    images = torch.from_numpy(read_idx(path)[:_SHOWN].copy()).unsqueeze(1) / 255
    seen = corrupted(images, DenoisingSettings(crop_area=1.0), zoo.Draws(0, 0, torch.arange(_SHOWN)))
    made: dict[str, Tensor] = {"test images": images, "corrupted": seen}
    with torch.inference_mode():
        for caption, name, given in (
            ("denoising", "denoising", seen),
            ("dense", "dense", images),
            ("dense VAE", "dense-variational", images),
        ):
            made[caption] = _loaded(folder / name).reconstruct(given)
        made["its samples"] = _loaded(folder / "dense-variational").sample(_SHOWN, generator=_generator())
    return made


def gan(runs: list[Path]) -> dict[str, Tensor]:
    """Return two rows of samples of each run."""
    rows: dict[str, Tensor] = {}
    with torch.inference_mode():
        for run in runs:
            samples = _loaded(run).sample(2 * _SHOWN, generator=_generator())
            rows[run.name], rows[f"{run.name} "] = samples[:_SHOWN], samples[_SHOWN:]
    return rows


def classes(run: Path) -> dict[str, Tensor]:
    """Return a row of samples for each class."""
    model, names = _loaded(run), zoo.describe(run).labels
    with torch.inference_mode():
        return {
            name: model.sample(_SHOWN, labels=torch.full((_SHOWN,), place), generator=_generator())
            for place, name in enumerate(names or [str(place) for place in range(model.classes)])
        }


def _loaded(run: Path) -> Any:
    return zoo.load(run)


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw a picture of several runs.")
    parser.add_argument("what", choices=("autoencoders", "gan", "classes"))
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    if asked.what == "gan":
        rows = gan(asked.runs)
    else:
        rows = (autoencoders if asked.what == "autoencoders" else classes)(asked.runs[0])
    print(zoo.image_grid(list(rows.values()), asked.out, captions=[name.strip() for name in rows]))


if __name__ == "__main__":
    main()
