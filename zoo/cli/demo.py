"""`zoo demo`: the whole way on real pictures, by the same functions that people call."""

import json
import os
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from zoo.api import models, training, transfer
from zoo.commands.output import print_line
from zoo.commands.tables import format_scores, print_table
from zoo.errors import UsageError

if TYPE_CHECKING:
    from zoo.hub.records import PushedRepo

_MARK = ".zoo-demo"
_NAME = "conv_autoencoder.demo"
_REPO = "demo/conv_autoencoder"
_LABELLED = "fashion_mnist_sample"
"""Also where all of Fashion-MNIST is at hand: scoring its 10,000 test pictures after every round would take minutes."""


@click.command("demo")
@click.option("--out", default="demo", show_default=True, type=click.Path(path_type=Path), help="Output folder.")
@click.option(
    "--labels", default=100, show_default=True, type=click.IntRange(10), help="Labelled images to finetune with."
)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Number of finetuning runs.")
def command(out: Path, labels: int, seeds: int) -> None:
    """Pretrain without labels, push, pull, load, and finetune with few labels, on images that ship with Zoo."""
    _make_room(out)
    data, settings = _choose_data()
    hub = out / "hub"

    _title(f"1. Pretrain conv_autoencoder on {data}, without labels")
    run = training.pretrain("conv_autoencoder", data=data, out=out / "pretrained", settings=settings, progress=True)
    print_line(f"{run.folder}: test {format_scores(run.scores)} · {run.seconds:.0f} s")

    _title(f"2. Push it to a Hub in the folder {hub}")
    pushed = transfer.push(run.folder, _REPO, hub=hub, private=True)
    print_line(f"{_REPO} at {pushed.commit[:7]}: {len(pushed.files)} files, read back and compared")

    with _registry_and_empty_cache(out, pushed, run.scores):
        _title("3. Pull it by name into an empty cache, and load it")
        pulled = transfer.pull(_NAME, hub=hub)
        print_line(f"{_NAME} at {pulled.commit[:7]}: every byte verified against the sha256 in registry.json")
        model = models.load(_NAME, hub=hub)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        print_line(f'zoo.load("{_NAME}") -> {type(model).__name__}, {parameters:,} parameters')

        _title(f"4. Finetune with {labels} labels, {seeds} seeds: pretrained against the same network from scratch")
        scores: dict[str, list[float]] = {"full": [], "frozen": [], "scratch": []}
        for seed in range(seeds):
            for method, found in scores.items():
                result = training.finetune(
                    _NAME,
                    task="image-classification",
                    data=_LABELLED,
                    labels=labels,
                    method=method,
                    hub=hub,
                    settings={"seed": seed, "steps": 200},
                    out=out / f"{method}-{seed}",
                )
                found.append(result.scores["accuracy"])
                print_line(f"  seed {seed}  {method:8}{found[-1]:6.1f} %  in {result.seconds:.0f} s")

    _show(scores, labels, run.pictures, out)


def _show(scores: dict[str, list[float]], labels: int, pictures: tuple[Path, ...], out: Path) -> None:
    _title(f"Test accuracy with {labels} labels, in percent")
    names = {"full": "pretrained, finetuned", "frozen": "pretrained, head only", "scratch": "from scratch"}
    rows = [
        (names[method], _mean(found), "  ".join(f"{value:.1f}" for value in found)) for method, found in scores.items()
    ]
    print_table(("NETWORK", "MEAN ± SPREAD", "SEEDS"), rows)
    gain = statistics.fmean(scores["full"]) - statistics.fmean(scores["scratch"])
    print_line(f"pretraining without labels: {gain:+.1f} points over scratch")
    _title("Pictures")
    for picture in (
        *pictures,
        out / "full-0" / "pictures" / "confusion.png",
        out / "full-0" / "pictures" / "examples.png",
    ):
        print_line(f"  {picture}")


def _mean(values: list[float]) -> str:
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.fmean(values):.1f} ± {spread:.1f}"


def _title(text: str) -> None:
    print_line()
    print_line(text)


def _make_room(out: Path) -> None:
    """Take away what an earlier demo left; nothing else."""
    import shutil

    if out.is_dir() and any(out.iterdir()):
        if not (out / _MARK).is_file():
            raise UsageError(f"{out} exists and is not an earlier demo; choose another --out")
        shutil.rmtree(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / _MARK).touch()


def _choose_data() -> tuple[str, dict[str, object]]:
    """Take all of Fashion-MNIST where it lies on this machine, otherwise the sample; as many steps either way."""
    from zoo.data.images.mnist import find_fashion_mnist

    found = find_fashion_mnist() is not None
    return ("fashion_mnist" if found else "fashion_mnist_sample"), {"steps": 250, "batch_size": 128}


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
