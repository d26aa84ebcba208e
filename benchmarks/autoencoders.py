"""Measure the autoencoders' recipes on all of Fashion-MNIST: what they give back, and what classifiers gain by them.

Every run goes through `zoo.pretrain` or `zoo.finetune` on one thread, in a process of its own, whose processor time is
counted. What is done already, in OUT/results.jsonl, is not done again; at the end the tables are printed.

    ZOO_DATA=../shared/data python benchmarks/autoencoders.py [PART ...] [--out /tmp/zoo-autoencoders] [--epochs 10]

Parts are the names of RUNS, and `labels`, which finetunes all of the runs with 100 and 1,000 labels and 5 seeds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RUNS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    # name: model, recipe, settings, arguments
    "dense": ("dense_autoencoder", "reconstruction", {}, {}),
    "conv": ("conv_autoencoder", "reconstruction", {}, {}),
    "denoising": ("conv_autoencoder", "denoising", {}, {}),
    "sparse": ("conv_autoencoder", "sparse", {}, {}),
    "contractive": ("conv_autoencoder", "contractive", {}, {}),
    "wasserstein": ("variational_autoencoder", "wasserstein", {}, {}),
    "variational": ("variational_autoencoder", "variational", {}, {}),
    "dense-variational": ("variational_autoencoder", "variational", {}, {"hidden_sizes": [400]}),
    "vector-quantized": ("vector_quantized_autoencoder", "vector_quantized", {}, {}),
}
LABELS, SEEDS = (100, 1000), range(5)
METHODS = ("full", "frozen", "scratch")


def run(name: str, out: Path, epochs: int, seed: int | None, labels: int | None, method: str | None) -> dict[str, Any]:
    """Do one run in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    model, recipe, settings, arguments = RUNS[name]
    before = time.process_time()
    if labels is None:
        changed = {"epochs": epochs, "evaluations": 2, "precision": "bf16", **settings}
        common: dict[str, Any] = {"data": "fashion_mnist", "force": True}
        made = zoo.pretrain(model, out=out / name, recipe=recipe, arguments=arguments, settings=changed, **common)
    else:
        made = zoo.finetune(
            out / name,
            task="image-classification",
            data="fashion_mnist",
            out=out / f"{name}-{labels}-{method}-{seed}",
            method=method,
            labels=labels,
            settings={"seed": seed, "evaluations": 1},
            force=True,
        )
    return {
        "name": name,
        "labels": labels,
        "method": method,
        "seed": seed,
        "scores": made.scores,
        "cpu_minutes": (time.process_time() - before) / 60,
    }


def show(results: list[dict[str, Any]]) -> None:
    """Print what was given back, and the means over seeds with their standard deviations."""
    groups: dict[tuple[str, int, str], list[float]] = {}
    for result in results:
        if result["labels"] is None:
            scores = ", ".join(f"{name} {value:.4g}" for name, value in result["scores"].items())
            print(f"{result['name']:18} {scores}  ({result['cpu_minutes']:.1f} CPU minutes)")
        else:
            key = (result["name"], result["labels"], result["method"])
            groups.setdefault(key, []).append(result["scores"]["accuracy"])
    for (name, labels, method), values in sorted(groups.items()):
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        mean = statistics.mean(values)
        print(f"{name:18} {labels:5} labels  {method:8} {mean:6.2f} ± {spread:.2f}  n={len(values)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="default: all runs")
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-autoencoders"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(run(out=asked.out, epochs=asked.epochs, **json.loads(asked.job))))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    record = asked.out / "results.jsonl"
    results = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    parts = asked.parts or list(RUNS)
    jobs: list[dict[str, Any]] = [
        {"name": name, "seed": None, "labels": None, "method": None} for name in parts if name in RUNS
    ]
    if "labels" in parts:
        jobs += [
            {"name": name, "seed": seed, "labels": labels, "method": method}
            for name in RUNS
            if (asked.out / name / "weights").is_dir()
            for labels in LABELS
            for method in METHODS
            for seed in SEEDS
        ]
    done = [{key: result[key] for key in ("name", "seed", "labels", "method")} for result in results]
    for job in jobs:
        if job in done:
            continue
        command = [sys.executable, __file__, "--out", str(asked.out), "--epochs", str(asked.epochs)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        line = [*command, "--job", json.dumps(job)]
        printed = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        results.append(json.loads(printed.splitlines()[-1]))
        with record.open("a") as file:
            file.write(json.dumps(results[-1]) + "\n")
    show(results)


if __name__ == "__main__":
    main()
