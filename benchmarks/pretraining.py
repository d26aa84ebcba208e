"""Measure the pretraining recipes on small pictures: what they reach with labels, and what they are worth without.

Every run goes through `zoo.pretrain` or `zoo.finetune` on one thread, in a process of its own, whose processor time is
counted. What is done already, in OUT/results.jsonl, is not done again; at the end the tables are printed.

    ZOO_DATA=../shared/data python benchmarks/pretraining.py [PART ...] [--out /tmp/zoo-pretraining] [--held-out]

Parts are fashion-simclr, fashion-labels, fashion-supervised, cifar-simclr, cifar-labels and cifar-supervised; labels
need simclr's run. With `--held-out` the last 2,000 training images stand in for the test images: the part labels then
finetunes in all of the ways listed below with 100 labels of other seeds, and what does best there is what is later
measured on the test images. Nothing is chosen by those.
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
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

NETWORK = {"depths": [1, 1, 1, 1], "widths": [16, 64, 128, 256], "cifar_stem": True}
QUICK = {"precision": "bf16"}
BRISK = {"optimizer": "adamw", "learning_rate": 4e-3, "weight_decay": 0.05}
SUPERVISED: dict[str, dict[str, Any]] = {
    "fashion_mnist": {**QUICK, **BRISK, "epochs": 12, "augmentation": "flip", "evaluations": 3},
    "cifar10": {**QUICK, **BRISK, "epochs": 75, "ema": 0.995, "mixing": "cutmix", "evaluations": 5},
}
MEASURED = {"batch_size": 128, "learning_rate": 2e-3}
"""The rule would halve that rate for half the default batch."""
SIMCLR: dict[str, dict[str, Any]] = {
    "fashion_mnist": {**QUICK, **MEASURED, "epochs": 6, "crop_area": 0.4, "evaluations": 3},
    "cifar10": {**QUICK, **MEASURED, "epochs": 40, "evaluations": 6},
}
FINETUNED = {**QUICK, "evaluations": 1, "minimum_steps": 300}
WAYS: dict[str, list[dict[str, Any]]] = {
    "simclr": [
        {"method": "full"},
        {"method": "full", "learning_rate": 5e-3, "backbone_rate": 0.2, "layer_decay": 1.0},
        {"method": "frozen", "learning_rate": 1e-2},
    ],
    "scratch": [{"method": "scratch"}, {"method": "scratch", "learning_rate": 6e-3}],
}
LABELS, SEEDS, OTHER_SEEDS = (100, 1000), range(5), (100, 101)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run: the arguments of `zoo.pretrain` or `zoo.finetune`. `of` is the model or the name of a run."""

    name: str
    kind: str
    of: str
    data: str
    settings: dict[str, Any]
    more: dict[str, Any] = field(default_factory=dict)


def jobs(part: str, counts: Sequence[int], held_out: bool, chosen: dict[str, dict[str, Any]]) -> Iterator[Job]:
    """Yield the runs of a part, for these counts of labels; `chosen` are the ways to finetune that are measured."""
    data = "fashion_mnist" if part.startswith("fashion") else "cifar10"
    recipe = part.partition("-")[2]
    if recipe in ("supervised", "simclr"):
        settings = (SUPERVISED if recipe == "supervised" else SIMCLR)[data]
        more = {"recipe": recipe, "arguments": NETWORK}
        yield Job(name=part, kind="pretrain", of="resnet18", data=data, settings=settings, more=more)
        return
    run = f"{part.partition('-')[0]}-simclr"
    for labels in LABELS[:1] if held_out else counts:
        for side, ways in WAYS.items():
            for place, way in enumerate(ways if held_out else [chosen.get(f"{data} {side}", ways[0])]):
                for seed in OTHER_SEEDS if held_out else SEEDS:
                    name = f"{run}-{labels}-{side}-{f'way{place}-' if held_out else ''}{seed}"
                    more = {"task": "image-classification", "labels": labels}
                    settings = {**FINETUNED, **way, "seed": seed}
                    yield Job(name=name, kind="finetune", of=run, data=data, settings=settings, more=more)


def best_ways(results: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return for each data set and side the way that was best on held-out images."""
    means: dict[str, list[tuple[float, int]]] = {}
    for data in SIMCLR:
        for side, ways in WAYS.items():
            for place, way in enumerate(ways):
                found = [
                    result["scores"]["accuracy"]
                    for result in results
                    if result["data"] == data
                    and way.items() <= result["settings"].items()
                    and result["settings"].keys() == {**FINETUNED, **way, "seed": 0}.keys()
                ]
                if found:
                    means.setdefault(f"{data} {side}", []).append((statistics.mean(found), -place))
    return {key: WAYS[key.split()[1]][-max(values)[1]] for key, values in means.items()}


def run(job: Job, out: Path, data_dir: Path | None) -> dict[str, Any]:
    """Do a job in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    do = zoo.pretrain if job.kind == "pretrain" else zoo.finetune
    of = job.of if job.kind == "pretrain" else str((out.parent if data_dir else out) / job.of)
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


def read(record: Path) -> list[dict[str, Any]]:
    """Return the results that are there."""
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def show(results: list[dict[str, Any]]) -> None:
    """Print what was reached, and the means over seeds with their standard deviations."""
    groups: dict[tuple[str, int, str], list[dict[str, Any]]] = {}
    common = {**FINETUNED, "seed": None}
    for result in results:
        if result["kind"] == "pretrain":
            scores = ", ".join(f"{name} {value:.2f}" for name, value in result["scores"].items())
            print(f"{result['name']:20}  {scores}  ({result['cpu_minutes']:.1f} CPU minutes)")
        else:
            way = " ".join(f"{key}={value}" for key, value in result["settings"].items() if key not in common)
            groups.setdefault((result["data"], result["more"]["labels"], way), []).append(result)
    for (data, labels, way), found in groups.items():
        values = [result["scores"]["accuracy"] for result in found]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        minutes = statistics.mean(result["cpu_minutes"] for result in found)
        mean = statistics.mean(values)
        print(f"{data:14} {labels:5} labels  {mean:6.2f} ± {spread:.2f}  n={len(values)}  ({minutes:.1f} min)  {way}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-pretraining"))
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--labels", type=int, nargs="+", default=LABELS)
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
    results, chosen = read(record), best_ways(read(arguments.out / "held-out" / "results.jsonl"))
    done = {result["name"] for result in results}
    command = [sys.executable, __file__, "--out", str(arguments.out), *(["--held-out"] if arguments.held_out else [])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for job in (job for part in arguments.parts for job in jobs(part, arguments.labels, arguments.held_out, chosen)):
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
