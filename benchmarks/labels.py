"""Measure what pretrained weights are worth with few labels: finetuned, frozen, and the same network from scratch.

Every run goes through `zoo.finetune` on one thread, those of several seeds in one process, whose processor time is
counted. What is done already, in OUT/labels.jsonl, is not done again; at the end the table is printed.

    ZOO_DATA=../shared/data python benchmarks/labels.py RUN... [--labels 100 1000] [--methods full frozen scratch]
        [--seeds 5] [--set NAME=VALUE]... [--held-out] [--out /tmp/zoo-labels]

RUN is what `zoo.finetune` takes. Equal networks, by architecture and arguments, share the runs from scratch. With
`--held-out` the last 5,000 training images stand in for the test images, and other labels are drawn: settings are
chosen there, and nothing by the test images.
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
from pathlib import Path
from typing import Any

SETTINGS = {"precision": "bf16", "evaluations": 1, "minimum_steps": 300}
OTHER_SEEDS = 100
HELD_OUT = 5_000


def network_of(run: str) -> str:
    """Return what equal networks have in common."""
    import zoo

    block = zoo.describe(run)
    arguments = {name: value for name, value in block.arguments.items() if name != "num_classes"}
    return json.dumps([block.architecture, arguments])


def finetune(job: dict[str, Any], out: Path, data_dir: Path | None) -> list[dict[str, Any]]:
    """Do the runs of a job, one for each seed, in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    results = []
    for seed in job["seeds"]:
        before = time.process_time()
        made = zoo.finetune(
            job["run"],
            task="image-classification",
            data="fashion_mnist",
            data_dir=data_dir,
            out=out / f"run-{os.getpid()}",
            method=job["method"],
            labels=job["labels"],
            settings={**SETTINGS, **job["settings"], "seed": seed},
            force=True,
        )
        minutes = (time.process_time() - before) / 60
        results.append({"seed": seed, "accuracy": made.scores["accuracy"], "cpu_minutes": minutes})
    return results


def hold_out(folder: Path) -> None:
    """Write Fashion-MNIST with its last training images in place of the test images."""
    source = Path(os.environ["ZOO_DATA"]) / "fashion-mnist"
    folder.mkdir(parents=True)
    images = gzip.decompress((source / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((source / "train-labels-idx1-ubyte.gz").read_bytes())[8:]
    for name, start, end in (("train", 0, 60_000 - HELD_OUT), ("t10k", 60_000 - HELD_OUT, 60_000)):
        head = struct.pack(">IIII", 2051, end - start, 28, 28)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(head + images[start * 784 : end * 784])
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, end - start) + labels[start:end])


def key_of(result: dict[str, Any]) -> str:
    """Return what tells the rows of the table apart."""
    named = result["network"] if result["method"] == "scratch" else result["run"]
    return json.dumps([named, result["labels"], result["method"], result["settings"]])


def show(results: list[dict[str, Any]]) -> None:
    """Print the means over seeds with their standard deviations, and the mean gain over scratch, seed by seed."""
    groups: dict[str, dict[int, float]] = {}
    rows: dict[str, dict[str, Any]] = {}
    for result in results:
        rows.setdefault(key_of(result), result)
        groups.setdefault(key_of(result), {})[result["seed"]] = result["accuracy"]
    for key, row in rows.items():
        values = groups[key]
        scratch = groups.get(key_of({**row, "method": "scratch"}), {})
        gains = [value - scratch[seed] for seed, value in values.items() if seed in scratch]
        spread = statistics.stdev(values.values()) if len(values) > 1 else 0.0
        name = json.loads(row["network"])[0] if row["method"] == "scratch" else Path(row["run"]).name
        mean = f"{statistics.mean(values.values()):6.2f} ± {spread:.2f}"
        said = f"{name:24} {row['labels']:5} labels  {row['method']:8} {mean}"
        gain = ""
        if len(gains) > 1 and row["method"] != "scratch":
            gain = f"  gain {statistics.mean(gains):+.2f} ± {statistics.stdev(gains):.2f}"
        print(f"{said}  n={len(values)}{gain}  {row['settings'] or ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--methods", nargs="+", default=["full", "frozen", "scratch"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-labels"))
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    out = asked.out / "held-out" if asked.held_out else asked.out
    data_dir = out / "data" if asked.held_out else None
    if asked.job:
        print(json.dumps(finetune(json.loads(asked.job), out, data_dir)))
        return
    out.mkdir(parents=True, exist_ok=True)
    if data_dir is not None and not data_dir.exists():
        hold_out(data_dir)
    record = out / "labels.jsonl"
    results = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    settings = dict(pair.split("=", 1) for pair in asked.settings)
    first = OTHER_SEEDS if asked.held_out else 0
    command = [sys.executable, __file__, "--out", str(asked.out), *(["--held-out"] if asked.held_out else [])]
    jobs = [(run, labels, method) for run in asked.runs for labels in asked.labels for method in asked.methods]
    for run, labels, method in jobs:
        row = {"run": run, "network": network_of(run), "labels": labels, "method": method, "settings": settings}
        done = {result["seed"] for result in results if key_of(result) == key_of(row)}
        seeds = [seed for seed in range(first, first + asked.seeds) if seed not in done]
        if not seeds:
            continue
        line = [*command, "--job", json.dumps({**row, "seeds": seeds})]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        printed = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        made = [{**row, **result} for result in json.loads(printed.splitlines()[-1])]
        results += made
        with record.open("a") as file:
            file.writelines(json.dumps(result) + "\n" for result in made)
    show(results)


if __name__ == "__main__":
    main()
