"""`zoo demo`: the whole way on real pictures, by the same functions that people call."""

import json
import os
import shlex
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zoo.api import models, training, transfer
from zoo.commands.output import print_line
from zoo.commands.tables import format_scores, print_table
from zoo.errors import UsageError
from zoo.extras import require
from zoo.hub.server.serving import MODULES
from zoo.printable import counted
from zoo.registry.registry import default_registry

if TYPE_CHECKING:
    from zoo.hub.records import PushedRepo

_MARK = ".zoo-demo"
_NAME = "conv_autoencoder.demo"
_REPO = "demo/conv_autoencoder"
_DATA = "fashion_mnist_sample"
"""Also where all of Fashion-MNIST is at hand: everybody sees the same, and what is below was chosen on it."""
RECIPE = "denoising"
ARGUMENTS = {"widths": [16, 32, 64]}
PRETRAINING = {"steps": 1000, "batch_size": 64, "learning_rate": 2e-3, "evaluations": 4}
FINETUNING = {
    "steps": 200,
    "batch_size": 32,
    "learning_rate": 2e-3,
    "augmentation": "none",
    "backbone_rate": 0.2,
    "evaluations": 1,
}
"""Chosen by benchmarks/demo.py, on training images and with seeds that are not those of the table."""
METHODS = {"scratch": "from scratch", "frozen": "pretrained, head only", "full": "pretrained, finetuned"}


@click.command("demo")
@click.option("--out", default="demo", show_default=True, type=click.Path(path_type=Path), help="Output folder.")
@click.option(
    "--labels", default=100, show_default=True, type=click.IntRange(10), help="Labelled images to finetune with."
)
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1), help="Number of finetuning runs.")
def command(out: Path, labels: int, seeds: int) -> None:
    """Pretrain without labels, push, pull, load, and finetune with few labels, on images that ship with Zoo."""
    _check_room(out)
    default_registry().model("conv_autoencoder")  # what a later step needs is better said now than then
    require("the demo", "matplotlib", "PIL", *MODULES)
    _make_room(out)
    hub = out / "hub"

    _title(f"1. Pretrain conv_autoencoder on {_DATA}, without labels")
    run = training.pretrain(
        "conv_autoencoder",
        recipe=RECIPE,
        data=_DATA,
        out=out / "pretrained",
        arguments=ARGUMENTS,
        settings=PRETRAINING,
        progress=True,
    )
    print_line(f"{run.folder}: test {format_scores(run.scores)} · {run.seconds:.0f} s")

    _title(f"2. Push it to a Hub in the folder {hub}")
    pushed = transfer.push(run.folder, _REPO, hub=hub, private=True)
    print_line(f"{_REPO} at {pushed.commit[:7]}: {counted(len(pushed.files), 'file')}, read back and compared")

    with _registry_and_empty_cache(out, pushed, run.scores):
        _title("3. Pull it by name into an empty cache, and load it")
        pulled = transfer.pull(_NAME, hub=hub)
        print_line(f"{_NAME} at {pulled.commit[:7]}: every byte verified against the sha256 in registry.json")
        model = models.load(_NAME, hub=hub)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        print_line(f'zoo.load("{_NAME}") -> {type(model).__name__}, {parameters:,} parameters')

        _title(f"4. Finetune with {labels} labels, {seeds} seeds: pretrained against the same network from scratch")
        scores: dict[str, list[float]] = {method: [] for method in METHODS}
        for seed in range(seeds):
            for method, found in scores.items():
                result = training.finetune(
                    _NAME,
                    task="image-classification",
                    data=_DATA,
                    labels=labels,
                    method=method,
                    hub=hub,
                    settings={**FINETUNING, "seed": seed},
                    out=out / f"{method}-{seed}",
                )
                found.append(result.scores["accuracy"])
                print_line(f"  seed {seed}  {method:8}{found[-1]:6.1f} %  in {result.seconds:.0f} s")

    _show(scores, labels)
    _title("One picture of it")
    print_line(f"  {_draw(scores, labels, model, out / 'demo.png')}")
    _title("What to type next")
    for line in next_commands(out):
        print_line(f"  {line}")


def next_commands(out: Path) -> list[str]:
    """Return what can be done with what the demo leaves."""
    pretrained = str(out / "pretrained")
    return [
        shlex.join(["zoo", "embed", pretrained, "--data", _DATA, "--neighbours", "5", "--out", str(out / "vectors")]),
        shlex.join(["zoo", "runs", "compare", str(out / "full-0"), str(out / "scratch-0")]),
        shlex.join(["zoo", "hub", "serve", str(out / "hub")]),
    ]


def _show(scores: dict[str, list[float]], labels: int) -> None:
    _title(f"Test accuracy with {labels} labels, in percent")
    rows = [
        (METHODS[method], _mean(found), _gain(scores, method), "  ".join(f"{value:.1f}" for value in found))
        for method, found in scores.items()
    ]
    print_table(("NETWORK", "MEAN ± SD", "GAIN ± SD", f"SEEDS 0 TO {len(scores['full']) - 1}"), rows)
    print_line(f"pretraining without labels: {_gain(scores, 'full')} points over scratch, seed by seed")


def _draw(scores: dict[str, list[float]], labels: int, model: Any, out: Path) -> Path:
    """Draw the scores beside a test image of each class and what the pretrained model makes of it."""
    import numpy as np
    import torch

    from zoo.data.images.mnist import fashion_mnist_sample
    from zoo.engine.comparison import score_comparison

    split = fashion_mnist_sample(None).splits["test"]
    first = np.unique(np.asarray(split.labels), return_index=True)[1]
    images = torch.from_numpy(np.asarray(split.images[first])).float() / 255
    with torch.inference_mode():
        outputs = model.reconstruct(images)
    named = {METHODS[method]: found for method, found in scores.items()}
    title = f"{labels} labels: {_gain(scores, 'full')} points by pretraining"
    return score_comparison(named, images, outputs, out, title=title, score="test accuracy, %")


def _mean(values: list[float], sign: str = "") -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):{sign}.1f} ± {spread:.1f}"


def _gain(scores: dict[str, list[float]], method: str) -> str:
    """Return the mean of the differences to scratch of the same seed, with their standard deviation."""
    pairs = zip(scores[method], scores["scratch"], strict=True)
    return "" if method == "scratch" else _mean([ours - scratch for ours, scratch in pairs], "+")


def _title(text: str) -> None:
    print_line()
    print_line(text)


def _check_room(out: Path) -> None:
    """Raise UsageError where something else lies than an earlier demo."""
    if out.is_dir() and any(out.iterdir()) and not (out / _MARK).is_file():
        raise UsageError(f"{out} exists and is not an earlier demo; choose another --out")


def _make_room(out: Path) -> None:
    """Take away what an earlier demo left."""
    import shutil

    if out.is_dir():
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).touch()


@contextmanager
def _registry_and_empty_cache(out: Path, pushed: "PushedRepo", scores: dict[str, float]) -> Iterator[None]:
    """List what was pushed in a registry.json, and let the cache be an empty folder, for the length of the block."""
    from huggingface_hub import constants

    from zoo.registry.registry import default_registry

    entry = {
        "repo": pushed.repo,
        "revision": pushed.commit,
        "files": {file.name: {"sha256": file.sha256, "size": file.size} for file in pushed.files},
        "plugin": "zoo-autoencoder",
        "task": "image-feature-extraction",
        "license": "Apache-2.0",
        "scores": scores,
    }
    registry = out / "registry.json"
    registry.write_text(json.dumps({"schema_version": 1, "weights": {_NAME: entry}}, indent=1), encoding="utf-8")
    before = os.environ.get("ZOO_REGISTRY"), constants.HF_HUB_CACHE
    os.environ["ZOO_REGISTRY"], constants.HF_HUB_CACHE = str(registry), str(out / "cache")
    default_registry.cache_clear()
    try:
        yield
    finally:
        constants.HF_HUB_CACHE = before[1]
        os.environ.pop("ZOO_REGISTRY")
        if before[0] is not None:
            os.environ["ZOO_REGISTRY"] = before[0]
        default_registry.cache_clear()
