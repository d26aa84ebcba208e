"""Measure the recipes of zoo-transformer: language models, classes of texts, texts that are written, hidden patches.

Every run goes through `zoo.pretrain` or `zoo.finetune` on one thread, in a process of its own, whose processor time is
counted. What is done already, in OUT/results.jsonl, is not done again; at the end the tables are printed.

    ZOO_DATA=../shared/data python benchmarks/text.py [PART ...] [--out /tmp/zoo-text] [--minilm FOLDER]

Parts are shakespeare, ag_news, trec, minilm (needs --minilm, the folder of all-MiniLM-L6-v2), multi30k, aeslc, cifar10.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pretraining import Job, read, run

QUICK = {"precision": "bf16"}
ONCE = {"evaluations": 1}
SEEDS = range(5)


def sizes(width: int, depth: int, num_heads: int, **more: Any) -> dict[str, Any]:
    return {"width": width, "depth": depth, "num_heads": num_heads, "mlp_width": 4 * width, **more}


NANO = {"tokenizer": "characters", "learning_rate": 4e-3, "steps": 2000, "batch_size": 12, "max_tokens": 64, **ONCE}
CHARACTERS = {"tokenizer": "characters", "max_tokens": 128, "batch_size": 32, "learning_rate": 3e-3, **QUICK, **ONCE}
ENCODER = sizes(128, 4, 4, pool="avg")
MASKED = {**QUICK, **ONCE, "learning_rate": 2e-3}
READER = sizes(192, 3, 4, decoder_depth=3, decoder_num_heads=4, decoder_mlp_width=768, dropout=0.1)
SUMMARIZER = sizes(192, 2, 4, decoder_depth=2, decoder_num_heads=4, decoder_mlp_width=768)
PATCHES = sizes(96, 6, 3, patch_size=4, pool="avg", class_token=False)

LLAMA = {**sizes(160, 4, 5), "num_kv_heads": 5, "mlp_width": 432}
NEWS = {**MASKED, "tokenizer": "wordpiece:8000", "epochs": 24, "masked": 0.2, "learning_rate": 1.5e-3}
QUESTIONS = {**MASKED, "tokenizer": "wordpiece:4000", "max_tokens": 64, "epochs": 60}
SPANS = {**QUICK, **ONCE, "learning_rate": 1e-3, "tokenizer": "bpe:6000", "epochs": 1}
MAILS = {**ONCE, "max_tokens": 64, "batch_size": 32, "learning_rate": 1e-3}
COPIES = {**MAILS, "tokenizer": "wordpiece:12000", "steps": 1500, "masked": 0.05, "written": 20}


def pretraining(
    name: str, model: str, data: str, settings: dict[str, Any], arguments: dict[str, Any], recipe: str | None = None
) -> Job:
    more = {"arguments": arguments, "recipe": recipe}
    return Job(name=name, kind="pretrain", of=model, data=data, settings=settings, more=more)


PRETRAINED = {
    "shakespeare": [
        pretraining("nanogpt", "gpt2", "tinyshakespeare", NANO, sizes(128, 4, 4)),
        pretraining("shakespeare", "llama", "tinyshakespeare", {**CHARACTERS, "steps": 1150}, LLAMA),
    ],
    "ag_news": [pretraining("ag_news-masked", "bert", "ag_news", NEWS, sizes(256, 2, 4, pool="avg"))],
    "trec": [pretraining("trec-masked", "bert", "trec", QUESTIONS, ENCODER)],
    "multi30k": [pretraining("multi30k-spans", "marian", "multi30k_de_en", {**SPANS, "max_tokens": 64}, READER)],
    "aeslc": [pretraining("aeslc-copies", "marian", "aeslc", COPIES, SUMMARIZER, "text_denoising")],
    "cifar10": [
        pretraining(
            "cifar10-masked", "vit", "cifar10", {**QUICK, "epochs": 100, "evaluations": 2, "decoder_width": 64}, PATCHES
        )
    ],
}
CLASSES = {**QUICK, **ONCE, "max_tokens": 128}
FEW = {**CLASSES, "minimum_steps": 300, "epochs": 10}
FULL = {"learning_rate": 1e-3, "backbone_rate": 0.5, "layer_decay": 0.9}
WAYS: dict[str, dict[str, dict[str, Any]]] = {
    "ag_news": {
        "full": {**FULL, "masked": 0.4, "learning_rate": 4e-4},
        "scratch": {**FULL, "masked": 0.4},
    },
    "trec": {"full": FULL, "scratch": FULL},
}
DROPPED = {"ag_news": {"arguments": {"dropout": 0.1}}}
PICTURES = {**QUICK, **ONCE, "minimum_steps": 800, "batch_size": 64, "learning_rate": 1e-3, "augmentation": "crop_flip"}


def jobs(part: str, minilm: Path | None) -> Iterator[Job]:
    """Yield the runs of a part."""
    yield from PRETRAINED.get(part, [])
    task: dict[str, Any] = {"task": "text-classification"}
    if part in ("ag_news", "trec"):
        of, task = f"{part}-masked", {**task, **DROPPED.get(part, {})}
        for name, method in ((f"{part}-all", "full"), (f"{part}-all-scratch", "scratch")):
            settings = {**CLASSES, **WAYS[part][method], "method": method}
            yield Job(name=name, kind="finetune", of=of, data=part, settings=settings, more=task)
        for method in ("full", "scratch"):
            for seed in SEEDS:
                settings = {**FEW, **WAYS[part][method], "method": method, "seed": seed}
                name = f"{part}-500-{method}-{seed}"
                yield Job(name=name, kind="finetune", of=of, data=part, settings=settings, more={**task, "labels": 500})
    if part == "minilm" and minilm:
        settings = {**CLASSES, "max_tokens": 48, "epochs": 4, "learning_rate": 2e-4, "backbone_rate": 0.5}
        yield Job(name="minilm-trec", kind="finetune", of=str(minilm), data="trec", settings=settings, more=task)
    if part == "multi30k":
        settings = {**QUICK, **ONCE, "epochs": 12, "max_tokens": 64, "learning_rate": 1e-3}
        more = {"task": "translation"}
        yield Job(
            name="multi30k", kind="finetune", of="multi30k-spans", data="multi30k_de_en", settings=settings, more=more
        )
    if part == "aeslc":
        more = {"task": "summarization", "arguments": {"dropout": 0.1}}
        for name, method in (("aeslc", "full"), ("aeslc-scratch", "scratch")):
            settings = {**MAILS, "epochs": 4, "max_target_tokens": 24, "validation": "split", "method": method}
            yield Job(name=name, kind="finetune", of="aeslc-copies", data="aeslc", settings=settings, more=more)
    if part == "cifar10":
        for method in ("full", "scratch"):
            for seed in SEEDS:
                settings = {**PICTURES, "method": method, "seed": seed}
                more = {"task": "image-classification", "labels": 1000}
                yield Job(
                    name=f"cifar10-1000-{method}-{seed}",
                    kind="finetune",
                    of="cifar10-masked",
                    data="cifar10",
                    settings=settings,
                    more=more,
                )


def show(results: list[dict[str, Any]]) -> None:
    """Print what was reached, and the means over seeds with their standard deviations."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for result in results:
        if result["more"].get("labels"):
            groups.setdefault(result["name"].rpartition("-")[0], []).append(result)
            continue
        scores = ", ".join(f"{name} {value:.4g}" for name, value in result["scores"].items())
        print(f"{result['name']:20}  {scores}  ({result['cpu_minutes']:.1f} CPU minutes)")
    for name, found in groups.items():
        values = [result["scores"]["accuracy"] for result in found]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        minutes = statistics.mean(result["cpu_minutes"] for result in found)
        print(f"{name:20}  {statistics.mean(values):.2f} ± {spread:.2f}  n={len(values)}  ({minutes:.1f} CPU min each)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-text"))
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        print(json.dumps(run(Job(**json.loads(arguments.job)), arguments.out, None)))
        return
    arguments.out.mkdir(parents=True, exist_ok=True)
    record = arguments.out / "results.jsonl"
    results = read(record)
    done = {result["name"] for result in results}
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    for job in (job for part in arguments.parts for job in jobs(part, arguments.minilm)):
        if job.name in done:
            continue
        line = [sys.executable, __file__, "--out", str(arguments.out), "--job", json.dumps(asdict(job))]
        printed = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        results.append(json.loads(printed.splitlines()[-1]))
        with record.open("a") as file:
            file.write(json.dumps(results[-1]) + "\n")
    show(results)


if __name__ == "__main__":
    main()
