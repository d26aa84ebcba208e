"""Measure the pretraining recipes on small pictures: what they reach with labels, and what they are worth without.

Every run goes through `zoo.pretrain` or `zoo.finetune` on one thread, in a process of its own, whose processor time is
counted. What is done already, in OUT/results.jsonl, is not done again; at the end the tables are printed.

    ZOO_DATA=../shared/data python benchmarks/pretraining.py [PART ...] [--out /tmp/zoo-pretraining] [--held-out]

Parts are fashion-supervised, fashion-simclr, fashion-labels, cifar-simclr, cifar-labels, cifar-supervised; the labels
need the recipe's run. With `--held-out` a share of the training images stands in for the test images, and other seeds
draw the labels: so the settings below were chosen, none by the test images.
"""

import argparse
import gzip
import json
import os
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NETWORK = {"depths": [1, 1, 1, 1], "widths": [16, 64, 128, 256], "cifar_stem": True}
QUICK = {"precision": "bf16"}
SUPERVISED = {
    "fashion_mnist": {**QUICK, "epochs": 8, "augmentation": "flip"},
    "cifar10": {**QUICK, "epochs": 70, "ema": 0.995, "mixing": "cutmix", "evaluations": 5},
}
SIMCLR = {
    "fashion_mnist": {**QUICK, "epochs": 6, "batch_size": 128, "crop_area": 0.4, "evaluations": 3},
    "cifar10": {**QUICK, "epochs": 60, "batch_size": 128, "evaluations": 6},
}
FINETUNED = {**QUICK, "evaluations": 1, "minimum_steps": 300}
METHODS: dict[str, dict[str, dict[str, Any]]] = {
    "fashion_mnist": {"simclr": {"method": "full"}, "scratch": {"method": "scratch"}},
    "cifar10": {"simclr": {"method": "full"}, "scratch": {"method": "scratch"}},
}
LABELS, SEEDS, OTHER_SEEDS = (100, 1000), range(5), range(100, 102)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run: the arguments of `zoo.pretrain` or `zoo.finetune`. `of` is the model or the name of a run."""

    name: str
    kind: str
    of: str
    data: str
    settings: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)


def jobs(part: str, held_out: bool) -> Iterator[Job]:
    """Yield the runs of a part."""
    data = "fashion_mnist" if part.startswith("fashion") else "cifar10"
    recipe = part.partition("-")[2]
    if recipe in ("supervised", "simclr"):
        settings = (SUPERVISED if recipe == "supervised" else SIMCLR)[data]
        more = {"recipe": recipe, "arguments": NETWORK}
        yield Job(name=part, kind="pretrain", of="resnet18", data=data, settings=settings, more=more)
        return
    run = f"{part.partition('-')[0]}-simclr"
    for labels in LABELS:
        for method, chosen in METHODS[data].items():
            for seed in OTHER_SEEDS if held_out else SEEDS:
                settings = {**FINETUNED, **chosen, "seed": seed}
                name = f"{run}-{labels}-{method}-{seed}"
                more = {"task": "image-classification", "labels": labels}
                yield Job(name=name, kind="finetune", of=run, data=data, settings=settings, more=more)


def run(job: Job, out: Path, data_dir: Path | None) -> dict[str, Any]:
    """Do a job in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    do = zoo.pretrain if job.kind == "pretrain" else zoo.finetune
    of = job.of if job.kind == "pretrain" else str(out / job.of)
    before = time.process_time()
    result = do(of, data=job.data, data_dir=data_dir, out=out / job.name, settings=job.settings, force=True, **job.more)
    return {**asdict(job), "scores": result.scores, "cpu_minutes": (time.process_time() - before) / 60}


def hold_out(folder: Path) -> None:
    """Write both data sets with their last 2,000 training images in place of the test images."""
    root = Path(os.environ["ZOO_DATA"])
    source, fashion, cifar = root / "fashion-mnist", folder / "fashion-mnist", folder / "cifar10"
    fashion.mkdir(parents=True, exist_ok=True)
    cifar.mkdir(exist_ok=True)
    images = gzip.decompress((source / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((source / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    for name, start, end in (("train", 0, 58_000), ("t10k", 58_000, 60_000)):
        head = struct.pack(">IIII", 2051, end - start, 28, 28)
        (fashion / f"{name}-images-idx3-ubyte").write_bytes(head + images[start * 784 : end * 784])
        head = struct.pack(">II", 2049, end - start)
        (fashion / f"{name}-labels-idx1-ubyte").write_bytes(head + labels[start:end])
    records = (root / "cifar10" / "cifar-10-batches-bin" / "data_batch_1.bin").read_bytes()
    (cifar / "data_batch_1.bin").write_bytes(records[: 8000 * 3073])
    (cifar / "test_batch.bin").write_bytes(records[8000 * 3073 :])


def show(results: list[dict[str, Any]]) -> None:
    """Print what was reached, and the means over seeds with their standard deviations."""
    groups: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
    for result in results:
        if result["kind"] == "pretrain":
            scores = ", ".join(f"{name} {value:.2f}" for name, value in result["scores"].items())
            print(f"{result['name']:20}  {scores}  ({result['cpu_minutes']:.1f} CPU minutes)")
        else:
            method = result["settings"]["method"]
            groups.setdefault((result["data"], result["more"]["labels"], method), []).append(result)
    for (data, labels, method), found in groups.items():
        values = [result["scores"]["accuracy"] for result in found]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        minutes = statistics.mean(result["cpu_minutes"] for result in found)
        mean = statistics.mean(values)
        print(
            f"{data:14} {labels:5} labels  {method:8} {mean:6.2f} ± {spread:.2f}  n={len(values)}  ({minutes:.1f} min)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-pretraining"))
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    out = arguments.out / "held-out" if arguments.held_out else arguments.out
    data_dir = out / "data" if arguments.held_out else None
    if arguments.job:
        print(json.dumps(run(Job(**json.loads(arguments.job)), out, data_dir)))
        return
    if data_dir is not None and not data_dir.exists():
        hold_out(data_dir)
    out.mkdir(parents=True, exist_ok=True)
    record = out / "results.jsonl"
    results = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    done = {result["name"] for result in results}
    command = [sys.executable, __file__, "--out", str(arguments.out), *(["--held-out"] if arguments.held_out else [])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for job in (job for part in arguments.parts for job in jobs(part, arguments.held_out)):
        if job.name in done:
            continue
        line = [*command, "--job", json.dumps(asdict(job))]
        printed = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        results.append(json.loads(printed.splitlines()[-1]))
        with record.open("a") as file:
            file.write(json.dumps(results[-1]) + "\n")
    show(results)


if __name__ == "__main__":
    main()
