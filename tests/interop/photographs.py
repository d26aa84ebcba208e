"""Photographs of odd sizes, and how ours become inputs, for what is compared with other libraries from files on.

ZOO_PHOTOGRAPHS=200 takes as many, parts of all that lie in the shared data, and 50 for what models predict.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import zoo
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import scaling_of

SHARED = Path(os.environ.get("ZOO_DATA", Path(__file__).parents[3] / "shared" / "data"))
COUNT = int(os.environ.get("ZOO_PHOTOGRAPHS", "8"))
SIZES = [(640, 427), (333, 500), (257, 311), (90, 413), (1501, 997), (224, 224), (61, 47), (800, 301)]


def write_photographs(folder: Path) -> list[Path]:
    """Write photographs of odd sizes as JPEG and PNG: parts of real ones, or where there are none of a drawn one."""
    found = [
        path for place in ("coco32/train2017", "bccd/BCCD/JPEGImages", "camvid/CamVid/test") for path in _in(place)
    ]
    real = itertools.cycle(found[:: max(1, len(found) // COUNT)] or [None])
    random = np.random.default_rng(0)
    paths = []
    for place, path in zip(range(COUNT), real, strict=False):
        picture = _drawn() if path is None else Image.open(path).convert("RGB")
        if place < len(SIZES):
            picture = picture.resize(SIZES[place], Image.Resampling.LANCZOS)
        else:
            width, height = (int(random.integers(31, side)) for side in picture.size)
            left, top = int(random.integers(0, picture.width - width)), int(random.integers(0, picture.height - height))
            picture = picture.crop((left, top, left + width, top + height))
        paths.append(folder / f"{place}.{'png' if place % 3 else 'jpg'}")
        picture.save(paths[-1])
    return paths


def _in(place: str) -> list[Path]:
    return sorted((SHARED / place).glob("*.jpg"))


def oblong(paths: list[Path]) -> list[Path]:
    """Return up to 50 of the photographs, without those that are square."""
    found = []
    for path in paths:
        with Image.open(path) as picture:
            if picture.width != picture.height:
                found.append(path)
    return found[:50]


def _drawn() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    return Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC)


def of_ours(paths: list[Path], inputs: zoo.Preprocessing) -> Iterator[torch.Tensor]:
    pixels, bad = decode_all(paths, inputs.image_size, inputs.channels, scaling=scaling_of(inputs))
    assert not bad
    yield from zoo.normalize(torch.from_numpy(pixels).float() / 255, inputs)


def pixel_values(processor: Any, picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.asarray(processor(picture, return_tensors="np")["pixel_values"][0]))
