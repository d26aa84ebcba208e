"""Compare what `zoo demo` could do, on training images that it does not score: the last 50 of each class of its sample.

Pretraining sees the other 1,500 images without their labels; labels are drawn from them by seeds that the demo does not
use. What is done already, in OUT/results.jsonl, is not done again; at the end the table is printed: mean gains over
scratch with the standard deviations of their paired differences, and what the demo would cost in processor time.

    python benchmarks/demo.py [--pretrainings NAME ...] [--finetunings NAME ...] [--labels 100 ...] [--seeds 5]
        [--out /tmp/zoo-demo]
"""

import argparse
import itertools
import json
import os
import statistics
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import zoo
from zoo.data.images.idx import read_idx

HELD_OUT = 50
FIRST_SEED = 100
SHARED = {"evaluations": 1, "learning_rate": 2e-3}
SMALL = {"widths": [16, 32, 64]}
PRETRAININGS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    # name: recipe, arguments, settings
    "500x128": ("denoising", SMALL, {"steps": 500, "batch_size": 128}),
    "1000x64": ("denoising", SMALL, {"steps": 1000, "batch_size": 64}),
    "1000x32": ("denoising", SMALL, {"steps": 1000, "batch_size": 32}),
}
FINETUNINGS: dict[str, dict[str, Any]] = {
    "crops": {"steps": 200},
    "plain": {"steps": 200, "augmentation": "none"},
    "slow": {"steps": 200, "augmentation": "none", "backbone_rate": 0.2},
    "short": {"steps": 200, "batch_size": 32, "augmentation": "none", "backbone_rate": 0.2},
}
METHODS = ("full", "frozen", "scratch")
JOB = ("pretraining", "finetuning", "labels", "seed", "method")


def hold_out(folder: Path) -> Path:
    """Write the sample's training images with the last of each class in the place of the test images."""
    source = Path(zoo.__file__).parent / "data" / "images" / "fashion_mnist_sample"
    images, labels = (read_idx(source / f"train-{name}-ubyte.gz") for name in ("images-idx3", "labels-idx1"))
    held = np.concatenate([np.flatnonzero(labels == kind)[-HELD_OUT:] for kind in range(10)])
    parts = {"train": np.setdiff1d(np.arange(len(labels)), held), "t10k": np.sort(held)}
    folder.mkdir(parents=True, exist_ok=True)
    for split, places in parts.items():
        head = struct.pack(">IIII", 2051, len(places), 28, 28)
        (folder / f"{split}-images-idx3-ubyte").write_bytes(head + images[places].tobytes())
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 2049, len(places)) + labels[places].tobytes()
        )
    return folder


def pretrain(name: str, out: Path) -> float:
    """Pretrain once; return the processor seconds it took."""
    recipe, arguments, settings = PRETRAININGS[name]
    noted = out / f"{name}.json"
    if not noted.exists():
        before = time.process_time()
        zoo.pretrain(
            "conv_autoencoder",
            data="fashion_mnist",
            data_dir=out / "data",
            out=out / name,
            recipe=recipe,
            arguments=arguments,
            settings={**SHARED, **settings, "seed": FIRST_SEED},
            force=True,
        )
        noted.write_text(json.dumps(time.process_time() - before))
    return float(json.loads(noted.read_text()))


def finetune(job: dict[str, Any], out: Path) -> dict[str, Any]:
    """Finetune once; return the job with its accuracy and the processor seconds it took."""
    before = time.process_time()
    made = zoo.finetune(
        out / job["pretraining"],
        task="image-classification",
        data="fashion_mnist",
        data_dir=out / "data",
        out=out / f"run-{os.getpid()}",
        method=job["method"],
        labels=job["labels"],
        settings={**SHARED, **FINETUNINGS[job["finetuning"]], "seed": job["seed"]},
        force=True,
    )
    return {**job, "accuracy": made.scores["accuracy"], "seconds": time.process_time() - before}


def show(results: list[dict[str, Any]], out: Path) -> None:
    """Print each choice: accuracies, gains over scratch with their spread, and the seconds of the whole demo."""
    groups: dict[tuple[Any, ...], dict[str, dict[int, float]]] = {}
    seconds: dict[tuple[Any, ...], float] = {}
    for result in results:
        key = result["pretraining"], result["finetuning"], result["labels"]
        groups.setdefault(key, {}).setdefault(result["method"], {})[result["seed"]] = result["accuracy"]
        seconds[key] = seconds.get(key, pretrain(result["pretraining"], out)) + result["seconds"]
    for key, methods in groups.items():
        line = f"{key[0]:8} {key[1]:6} {key[2]:4} labels "
        for method, found in methods.items():
            line += f"  {method} {statistics.mean(found.values()):.1f}"
            if method != "scratch" and (both := found.keys() & methods.get("scratch", {}).keys()):
                gains = [found[seed] - methods["scratch"][seed] for seed in both]
                spread = statistics.stdev(gains) if len(gains) > 1 else 0.0
                line += f" (gain {statistics.mean(gains):+.1f} ± {spread:.1f})"
        print(f"{line}  n={len(methods['scratch'])}  {seconds[key]:.0f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pretrainings", nargs="+", choices=PRETRAININGS, default=list(PRETRAININGS))
    parser.add_argument("--finetunings", nargs="+", choices=FINETUNINGS, default=list(FINETUNINGS))
    parser.add_argument("--labels", type=int, nargs="+", default=[100])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-demo"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    hold_out(asked.out / "data")
    record = asked.out / "results.jsonl"
    results = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
    done = [{name: result[name] for name in JOB} for result in results]
    seeds = range(FIRST_SEED, FIRST_SEED + asked.seeds)
    for values in itertools.product(asked.pretrainings, asked.finetunings, asked.labels, seeds, METHODS):
        job = dict(zip(JOB, values, strict=True))
        if job in done:
            continue
        pretrain(job["pretraining"], asked.out)
        results.append(finetune(job, asked.out))
        with record.open("a") as file:
            file.write(json.dumps(results[-1]) + "\n")
    show(results, asked.out)


if __name__ == "__main__":
    main()
