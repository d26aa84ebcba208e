"""The data of benchmarks/choosing.py: small sets of pictures and texts with classes, and pools to pretrain on."""

import csv
import gzip
import os
import random
import re
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
from PIL import Image

Kind = Literal["image", "text"]
MOST = 600
POOL = 6000

SETS: dict[str, tuple[Kind, str]] = {
    "digits": ("image", "image-classification"),
    "questions": ("text", "text-classification"),
    "sounds": ("image", "image-classification"),
    "news": ("text", "text-classification"),
    "fashion": ("image", "image-classification"),
    "speakers": ("text", "text-classification"),
    "cells": ("image", "image-classification"),
    "cifar": ("image", "image-classification"),
    "fine-questions": ("text", "text-classification"),
}
"""Small ones first."""

Samples = dict[str, list[tuple[Any, str]]]


def _data() -> Path:
    return Path(os.environ["ZOO_DATA"])


def _fashion() -> Samples:
    found: Samples = {}
    for split, stem in (("train", "train"), ("test", "t10k")):
        pixels = gzip.decompress((_data() / "fashion-mnist" / f"{stem}-images-idx3-ubyte.gz").read_bytes())[16:]
        labels = gzip.decompress((_data() / "fashion-mnist" / f"{stem}-labels-idx1-ubyte.gz").read_bytes())[8:]
        images = np.frombuffer(pixels, np.uint8).reshape(-1, 28, 28)
        found[split] = [(image, str(label)) for image, label in zip(images, labels, strict=True)]
    return found


def _cifar() -> Samples:
    folder = _data() / "cifar10" / "cifar-10-batches-bin"
    found: Samples = {}
    for split, name in (("train", "data_batch_1.bin"), ("test", "test_batch.bin")):
        rows = np.fromfile(folder / name, np.uint8).reshape(-1, 3073)
        images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        found[split] = [(image, str(label)) for image, label in zip(images, rows[:, 0], strict=True)]
    return found


def _digits() -> Samples:
    from sklearn.datasets import load_digits

    known = load_digits()
    samples = [
        ((image * 15.9375).astype("u1"), str(label)) for image, label in zip(known.images, known.target, strict=True)
    ]
    return {"train": samples[:1000], "test": samples[1000:]}


def _sounds() -> Samples:
    """Return the logarithms of magnitudes of short windows, by digit; the first five recordings are the test split."""
    found: Samples = {"train": [], "test": []}
    for path in sorted((_data() / "fsdd" / "recordings").glob("*.wav")):
        digit, _, take = path.stem.split("_")
        with wave.open(str(path)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype("f4") / 32768
        starts = np.linspace(0, max(len(samples) - 256, 0), 48).astype(int)
        windows = np.stack([np.pad(samples, (0, 256))[start : start + 256] for start in starts]) * np.hanning(256)
        loud = np.log(np.abs(np.fft.rfft(windows))[:, 1:97].T + 1e-3)
        low, high = loud.min(), loud.max()
        picture = ((loud - low) / (high - low + 1e-6) * 255).astype("u1")
        found["test" if int(take) < 5 else "train"].append((picture[::-2], digit))
    return found


def _cells() -> Samples:
    folder = _data() / "bccd" / "BCCD"
    found: Samples = {}
    for split, lists in (("train", ["train"]), ("test", ["val", "test"])):
        kept: dict[str, list[Any]] = {}
        for name in (line for one in lists for line in (folder / "ImageSets/Main" / f"{one}.txt").read_text().split()):
            picture = Image.open(folder / "JPEGImages" / f"{name}.jpg").convert("RGB")
            for item in ElementTree.parse(folder / "Annotations" / f"{name}.xml").iter("object"):
                box = [int(item.findtext(f"bndbox/{side}") or 0) for side in ("xmin", "ymin", "xmax", "ymax")]
                label = item.findtext("name") or ""
                if box[2] - box[0] > 8 and box[3] - box[1] > 8 and len(kept.setdefault(label, [])) < MOST // 3:
                    kept[label].append(np.asarray(picture.crop(tuple(box)).resize((32, 32))))
        found[split] = [(image, label) for label, images in kept.items() for image in images]
    return found


def _questions(fine: bool) -> Samples:
    found: Samples = {}
    for split in ("train", "test"):
        lines = (_data() / "trec" / f"TREC.{split}").read_text(encoding="latin-1").split("\n")
        pairs = [line.split(" ", 1) for line in lines if line]
        found[split] = [(text, label if fine else label.split(":")[0]) for label, text in pairs]
    known = {label for _, label in found["train"]}
    return {split: [sample for sample in samples if sample[1] in known] for split, samples in found.items()}


def _news() -> Samples:
    found: Samples = {}
    for split in ("train", "test"):
        with open(_data() / "ag_news" / "ag_news_csv" / f"{split}.csv", encoding="utf-8", newline="") as file:
            found[split] = [(f"{row[1]} {row[2]}", row[0]) for row in csv.reader(file)]
    return found


def _speakers() -> Samples:
    """Return what the eight who speak most often say, by who says it; every third speech is of the test split."""
    text = (_data() / "tinyshakespeare" / "input.txt").read_text()
    said = [(speech.replace("\n", " "), who) for who, speech in re.findall(r"([A-Z][^\n:]*):\n((?:[^\n]+\n)+)", text)]
    counts: dict[str, int] = {}
    for _, who in said:
        counts[who] = counts.get(who, 0) + 1
    most = sorted(counts, key=lambda who: -counts[who])[:8]
    kept = [(speech, who) for speech, who in said if who in most and len(speech) > 60]
    return {"train": kept[::3] + kept[1::3], "test": kept[2::3]}


READ: dict[str, Callable[[], Samples]] = {
    "digits": _digits,
    "sounds": _sounds,
    "fashion": _fashion,
    "cells": _cells,
    "cifar": _cifar,
    "questions": lambda: _questions(False),
    "fine-questions": lambda: _questions(True),
    "news": _news,
    "speakers": _speakers,
}


def _drawn(samples: list[tuple[Any, str]], count: int, seed: int) -> list[tuple[Any, str]]:
    shuffled = list(samples)
    random.Random(seed).shuffle(shuffled)
    return shuffled[:count]


def written(name: str, folder: Path) -> Path:
    """Write a set where it is not yet; return its folder."""
    if not folder.is_dir():
        _write({split: _drawn(samples, MOST, 0) for split, samples in READ[name]().items()}, folder)
    return folder


def pool(name: str, folder: Path) -> Path:
    """Write what weights are pretrained on where it is not yet; nothing of a set's test split is in it."""
    if folder.exists():
        return folder
    if name == "plays":
        folder.mkdir(parents=True)
        tested = {speech for speech, _ in _speakers()["test"]}
        speeches = (_data() / "tinyshakespeare" / "input.txt").read_text().split("\n\n")
        kept = [speech for speech in speeches if f"{' '.join(speech.split(chr(10))[1:])} " not in tested]
        (folder / "train.txt").write_text("\n\n".join(kept[:-100]))
        (folder / "test.txt").write_text("\n\n".join(kept[-100:]))
        return folder
    train = _drawn(READ[name]()["train"], POOL, 1)
    _write({"train": train[200:], "test": train[:200]}, folder)
    return folder


def _write(splits: Samples, folder: Path) -> None:
    """Write pictures by class, or tables of texts; all of it, or nothing under the final name."""
    partial = folder.with_name(f"{folder.name}.partial")
    for split, samples in splits.items():
        partial.mkdir(parents=True, exist_ok=True)
        if isinstance(samples[0][0], str):
            with open(partial / f"{split}.csv", "w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([("text", "label"), *samples])
            continue
        for place, (image, label) in enumerate(samples):
            into = partial / split / label
            into.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(into / f"{place:05}.png")
    partial.rename(folder)
