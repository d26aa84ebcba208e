"""The pointing game on crops of BCCD: how often the highest place of a map lies in the cell that is named.

    python plugins/explain/benchmarks/pointing_game.py [--method layercam] [--epochs 12] [--crops 4] [--seed 0]

Crops of 128 pixels of the training images hold a white cell or a platelet, but not both, whose box covers at most a
quarter; a ResNet learns to tell them apart, and its maps of crops of the test images are looked at. Chance is the share
that the box covers. Prints one line of JSON.
"""

import argparse
import json
import os
import tempfile
import xml.etree.ElementTree as Tree
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import zoo

_SIDE, _MOST = 128, 0.25
_CLASSES = ("Platelets", "WBC")
Crop = tuple[np.ndarray, int, tuple[int, int, int, int]]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--method", default="layercam")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--crops", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    train, test = (crops(split, options.crops if split == "train" else 1, random) for split in ("train", "test"))
    model = zoo.create("resnet20", depth=2, widths=[16, 32, 64], num_classes=2)
    learn(model, train, options.epochs)
    inputs = zoo.Preprocessing(image_size=(_SIDE, _SIDE), channels=3)
    with tempfile.TemporaryDirectory() as folder:
        zoo.save(model, Path(folder) / "w", task="image-classification", labels=_CLASSES, inputs=inputs)
        explain: Any = zoo.load(Path(folder) / "w").explain
        found = explain([Image.fromarray(pixels) for pixels, _, _ in test], method=options.method)
    hits, chance, right = [], [], []
    for result, (_, label, (left, top, end, bottom)) in zip(found, test, strict=True):
        right.append(result["target"] == _CLASSES[label])
        row, column = np.unravel_index(int(np.nan_to_num(result["map"]).argmax()), result["map"].shape)
        hits.append(left <= column < end and top <= row < bottom)
        chance.append((end - left) * (bottom - top) / _SIDE**2)
    told = {"method": options.method, "crops": len(test), "accuracy": float(np.mean(right))}
    print(
        json.dumps({**told, "pointing": float(np.mean(hits)), "chance": float(np.mean(chance)), "seed": options.seed})
    )


def crops(split: str, times: int, random: np.random.Generator) -> list[Crop]:
    """Return crops, the class of the one cell in each, and its box in the crop."""
    root, found = Path(os.environ["ZOO_DATA"]) / "bccd" / "BCCD", []
    for name in (root / "ImageSets" / "Main" / f"{split}.txt").read_text().split():
        boxes = annotated(root / "Annotations" / f"{name}.xml")
        with Image.open(root / "JPEGImages" / f"{name}.jpg") as picture:
            pixels = np.asarray(picture.convert("RGB"))
        for kind, box in boxes:
            for _ in range(times):
                crop = crop_of(pixels, kind, box, boxes, random)
                found += [crop] if crop is not None else []
    return found


def annotated(path: Path) -> list[tuple[str, tuple[int, int, int, int]]]:
    found = []
    for item in Tree.parse(path).getroot().iter("object"):
        sides = [int(item.findtext(f"bndbox/{side}", "0")) for side in ("xmin", "ymin", "xmax", "ymax")]
        if sides[2] > sides[0] and sides[3] > sides[1] and item.findtext("name") in _CLASSES:
            found.append((str(item.findtext("name")), (sides[0], sides[1], sides[2], sides[3])))
    return found


def crop_of(
    pixels: np.ndarray, kind: str, box: tuple[int, int, int, int], boxes: Any, random: np.random.Generator
) -> Crop | None:
    """Return a crop with all of a box at a random place in it, None where there is none without the other class."""
    left, top, right, bottom = box
    # of large cells a larger part is cut out, and scaled down, so that the box covers a quarter at most
    side = max(_SIDE, int(np.ceil(np.sqrt((right - left) * (bottom - top) / _MOST * 1.02))))
    height, width = pixels.shape[:2]
    low_x, high_x = max(0, right - side), min(left, width - side)
    low_y, high_y = max(0, bottom - side), min(top, height - side)
    if high_x < low_x or high_y < low_y:
        return None
    x, y = int(random.integers(low_x, high_x + 1)), int(random.integers(low_y, high_y + 1))
    for other, (a, b, c, d) in boxes:
        if (other, (a, b, c, d)) != (kind, box) and a < x + side and c > x and b < y + side and d > y:
            return None
    picture = Image.fromarray(pixels[y : y + side, x : x + side]).resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    scale = _SIDE / side
    placed = tuple(round(value * scale) for value in (left - x, top - y, right - x, bottom - y))
    return np.asarray(picture), _CLASSES.index(kind), (placed[0], placed[1], placed[2], placed[3])


def learn(model: Any, train: list[Crop], epochs: int) -> None:
    images = torch.from_numpy(np.stack([pixels for pixels, _, _ in train])).permute(0, 3, 1, 2).float() / 255
    labels = torch.tensor([label for _, label, _ in train])
    counts = torch.bincount(labels, minlength=2).float()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.05)
    model.train()
    for _ in range(epochs):
        for some in torch.randperm(len(images)).split(32):
            batch = images[some]
            batch = batch.flip(3) if torch.rand(()) < 0.5 else batch
            batch = batch.flip(2) if torch.rand(()) < 0.5 else batch
            loss = F.cross_entropy(model(batch), labels[some], weight=counts.sum() / counts / 2)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()


if __name__ == "__main__":
    main()
