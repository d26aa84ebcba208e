"""Measure the autoencoders' recipes on all of Fashion-MNIST: how well they give back the test images.

Every run goes through `zoo.pretrain` on one thread, in a process of its own, whose processor time is counted. What is
done already, in OUT/results.jsonl, is not done again; at the end the table is printed.

    ZOO_DATA=../shared/data python benchmarks/autoencoders.py [NAME ...] [--out /tmp/zoo-autoencoders] [--epochs 10]

Names are those of RUNS. What the runs are worth with few labels, `benchmarks/labels.py` says.
"""

import argparse
import json
import os
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


def run(name: str, out: Path, epochs: int) -> dict[str, Any]:
    """Do one run in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    model, recipe, settings, arguments = RUNS[name]
    before = time.process_time()
    made = zoo.pretrain(
        model,
        data="fashion_mnist",
        out=out / name,
        recipe=recipe,
        arguments=arguments,
        settings={"epochs": epochs, "evaluations": 2, "precision": "bf16", **settings},
        force=True,
    )
    minutes = (time.process_time() - before) / 60
    return {"name": name, "epochs": epochs, "scores": made.scores, "cpu_minutes": minutes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="default: all")
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-autoencoders"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print(json.dumps(run(asked.job, asked.out, asked.epochs)))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    record = asked.out / "results.jsonl"
    results = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    done = {(result["name"], result["epochs"]) for result in results}
    for name in asked.names or RUNS:
        if (name, asked.epochs) in done:
            continue
        command = [sys.executable, __file__, "--out", str(asked.out), "--epochs", str(asked.epochs), "--job", name]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        results.append(json.loads(printed.splitlines()[-1]))
        with record.open("a") as file:
            file.write(json.dumps(results[-1]) + "\n")
    for result in results:
        scores = ", ".join(f"{name} {value:.4g}" for name, value in result["scores"].items())
        print(f"{result['name']:18} {result['epochs']} epochs  {scores}  ({result['cpu_minutes']:.1f} CPU minutes)")


if __name__ == "__main__":
    main()
