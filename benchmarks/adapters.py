"""Compare the ways to finetune with few labels: accuracy, parameters that learn, processor time, peak memory.

    ZOO_DATA=../shared/data python benchmarks/adapters.py [--texts WEIGHTS] [--images WEIGHTS] [--methods lora dora ...]
        [--seeds 3] [--test 1000] [--epochs 3] [--out /tmp/zoo-adapters]

AG News with 500 labels from `--texts` (such as all-MiniLM-L6-v2) and CIFAR-10 with 100 labels from `--images`; what is
not given is left out. Each run is a process of one thread, at the rates that a method has where nobody sets them; the
labels are drawn by the seed, the same for every method, and the test rows are the first of each class, `--test` in all.
Results are kept in OUT/results.jsonl: those that are there are not measured again.
"""

import argparse
import csv
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

METHODS = ("full", "frozen", "lora", "rslora", "dora")
LABELS = {"ag_news": 500, "cifar10": 100}


def data_of(name: str, out: Path, test: int) -> Path:
    """Write a data set with a smaller test split, once."""
    folder = out / f"{name}-{test}"
    if folder.is_dir():
        return folder
    made = folder.with_name(f".{folder.name}.tmp")
    (_news if name == "ag_news" else _pictures)(made, test)
    made.rename(folder)
    return folder


def _news(folder: Path, test: int) -> None:
    from zoo.data.text.known import ag_news

    data = ag_news(None)
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        texts, labels = data.splits[split].texts, data.splits[split].labels
        rows = _firsts(labels, len(data.classes), test if split == "test" else 20_000)
        with open(folder / f"{split}.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(("text", "label"))
            writer.writerows((texts[row], data.classes[int(labels[row])]) for row in rows)


def _pictures(folder: Path, test: int) -> None:
    import numpy as np
    from PIL import Image

    place = Path(os.environ["ZOO_DATA"]) / "cifar10" / "cifar-10-batches-bin"
    names = (place / "batches.meta.txt").read_text().split()
    for split, file in (("train", "data_batch_1.bin"), ("test", "test_batch.bin")):
        table = np.fromfile(place / file, np.uint8).reshape(-1, 3073)
        for row in _firsts(table[:, 0], len(names), test if split == "test" else len(table)):
            pixels = table[row, 1:].reshape(3, 32, 32).transpose(1, 2, 0)
            where = folder / split / names[int(table[row, 0])]
            where.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(where / f"{row}.png")


def _firsts(labels: Any, classes: int, most: int) -> list[int]:
    """Return the first rows of each class, as many of each."""
    left = dict.fromkeys(range(classes), most // classes)
    rows = []
    for row, label in enumerate(labels):
        if left[int(label)]:
            left[int(label)] -= 1
            rows.append(row)
    return rows


def measure(job: dict[str, Any], out: Path) -> dict[str, Any]:
    """Run one job in this process."""
    import torch

    import zoo
    from zoo.tasks import one_network

    torch.set_num_threads(1)
    counted: dict[str, int] = {}
    make = one_network.learner

    def counting(settings: Any, network: Any) -> Any:
        found = make(settings, network)
        counted["parameters"] = sum(item.numel() for item in network.parameters() if item.requires_grad)
        return found

    one_network.learner = counting
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    result = zoo.finetune(
        job["weights"],
        task="text-classification" if job["data"] == "ag_news" else "image-classification",
        data=str(data_of(job["data"], out, job["test"])),
        out=out / "runs" / f"{job['data']}-{job['method']}-{job['seed']}",
        labels=LABELS[job["data"]],
        method=job["method"],
        settings={"epochs": job["epochs"], "batch_size": 32, "evaluations": 1, "seed": job["seed"], "minimum_steps": 0},
        force=True,
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        **job,
        "accuracy": result.scores["accuracy"],
        "parameters": counted["parameters"],
        "seconds": round(time.process_time() - began, 1),
        "megabytes": round((peak - before) / 1024),
    }


def table(found: list[dict[str, Any]]) -> str:
    """Return means over seeds with their standard deviations."""
    lines = ["| data | method | accuracy, % | parameters that learn | s | MB | seeds |", f"|{'---|' * 7}"]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in found:
        groups.setdefault((row["data"], row["method"]), []).append(row)
    for (data, method), rows in groups.items():
        scores = [row["accuracy"] for row in rows]
        spread = f" ± {statistics.stdev(scores):.1f}" if len(scores) > 1 else ""
        seconds, memory = (statistics.mean(row[key] for row in rows) for key in ("seconds", "megabytes"))
        accuracy = f"{statistics.mean(scores):.1f}{spread}"
        cells = (
            data,
            f"`{method}`",
            accuracy,
            f"{rows[0]['parameters']:,}",
            f"{seconds:.0f}",
            f"{memory:.0f}",
            len(rows),
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", help="weights that begin on AG News")
    parser.add_argument("--images", help="weights that begin on CIFAR-10")
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--test", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-adapters"))
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        print("\n" + json.dumps(measure(json.loads(asked.job), asked.out)))
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = asked.out / "results.jsonl"
    found = [json.loads(line) for line in kept.read_text().splitlines()] if kept.is_file() else []
    for seed in range(asked.seeds):
        for data, weights in (("ag_news", asked.texts), ("cifar10", asked.images)):
            for method in asked.methods if weights else ():
                job = {"data": data, "weights": weights, "method": method, "seed": seed}
                job |= {"test": asked.test, "epochs": asked.epochs}
                if any(job.items() <= row.items() for row in found):
                    continue
                command = [sys.executable, __file__, "--out", str(asked.out), "--job", json.dumps(job)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                found.append(json.loads(done.stdout.splitlines()[-1]))
                with open(kept, "a") as file:
                    file.write(json.dumps(found[-1]) + "\n")
    print(table(found))


if __name__ == "__main__":
    main()
