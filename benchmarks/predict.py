"""`model.predict` in batches against transformers' pipeline image by image: equal weights, in turn, in one run.

make peers' environment first (benchmarks/peers.sh), then
PYTHONPATH=. /tmp/zoo-peers/bin/python benchmarks/predict.py PHOTOS [--model resnet18] [--engine onnxruntime]
"""

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import pipeline
from transformers.utils import logging

import zoo
from zoo.weights.folder import save_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", default="float32", help="of Zoo's side: bfloat16 is faster where the CPU knows it")
    parser.add_argument("--engine", default="eager", help="of Zoo's side, such as onnxruntime of zoo-engines")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    logging.set_verbosity_error()
    found = sorted(path for path in asked.photos.rglob("*") if path.suffix in (".jpg", ".png"))
    photos = (found * (asked.count // len(found) + 1))[: asked.count]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        ours, theirs = both(asked.model, asked.image_size, Path(folder), asked.dtype, engine=asked.engine)
    equal(ours(photos[:8]), theirs(photos[:8]))
    times: dict[str, list[float]] = {"batched": [], "one by one": []}
    for place in range(asked.rounds):
        order = [("batched", ours), ("one by one", theirs)]
        for name, run in order if place % 2 else order[::-1]:
            start = time.perf_counter()
            run(photos)
            times[name].append(time.perf_counter() - start)
    mine, other = (asked.count / statistics.median(found) for found in times.values())
    ratio = statistics.median(b / a for a, b in zip(*times.values(), strict=True))
    what = f"{asked.model} at {asked.image_size}, {asked.dtype}, {asked.engine}"
    print(f"{what}, {asked.count} photographs, {asked.threads} threads, medians")
    print(f"zoo {mine:,.0f} pictures/s, transformers {other:,.0f} pictures/s: {ratio:.2f} times as fast")


def both(
    model: str, size: int, folder: Path, dtype: str, *, device: str = "cpu", engine: str = "eager"
) -> tuple[Callable[[list[Path]], Any], Callable[[list[Path]], Any]]:
    """Return what predicts by Zoo, and by transformers, with one set of weights."""
    inputs = zoo.Preprocessing(image_size=(size, size), channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
    labels = tuple(f"class {place}" for place in range(10))
    weights = zoo.create(model, num_classes=10).eval()
    save_weights(
        folder / "zoo",
        weights,
        model_name=model,
        arguments={"num_classes": 10},
        task="image-classification",
        labels=labels,
        inputs=inputs,
    )
    zoo.export(folder / "zoo", to="transformers", out=folder / "transformers")
    loaded = zoo.load(folder / "zoo", dtype=dtype, device=device, engine=engine)
    classify = pipeline(
        "image-classification", model=str(folder / "transformers"), device=device, use_fast=True, top_k=None
    )
    return loaded.predict, lambda photos: [classify(str(photo), top_k=10) for photo in photos]


def equal(ours: Any, theirs: Any) -> None:
    """Raise unless both say nearly the same: their scaling differs in the last digits."""
    for mine, other in zip(ours, theirs, strict=True):
        scores = {item["label"]: item["score"] for item in other}
        for item in mine["predictions"]:
            assert abs(scores[item["label"]] - item["score"]) < 0.05, (item, scores)


if __name__ == "__main__":
    main()
