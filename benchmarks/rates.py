"""Compare the rates that the rule chooses with the best of five: MiniLM, a GPT-2 and a ViT.

The five are the rule's own, and a quarter, a half, twice and four times it. Which of them is best is told by a fifth of
the training split that is held out, over the seeds; all are scored on the test split. `before` is what settings
were before there was a rule. What is done already, in OUT/results.jsonl, is not done again, so that a run that is cut
off goes on; at the end the table is written as Markdown, and the results as JSON beside it.

    ZOO_DATA=../shared/data python benchmarks/rates.py [PART ...] [--minilm FOLDER] [--seeds 2] [--out /tmp/zoo-rates]
        [--write docs/rates.md]

Parts are trec, ag_news and trec-rates (these need --minilm, the folder of all-MiniLM-L6-v2), gpt2, gpt2-pretraining and
vit.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FACTORS = (1.0, 0.25, 0.5, 2.0, 4.0)
QUICK = {"precision": "bf16", "evaluations": 1}
HELD_OUT = {"validation": 0.2}
TEXT = {"task": "text-classification", "labels": 500}
BEFORE = {
    "settings": {"learning_rate": 5e-4},
    "arguments": dict.fromkeys(("dropout", "attention_dropout", "classifier_dropout"), 0.0),
}
SIZES = {"width": 128, "depth": 4, "num_heads": 4}
PATCHES = {"width": 96, "depth": 4, "num_heads": 3, "mlp_width": 384, "patch_size": 4, "pool": "avg"}
PRETRAINED: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": (
        "gpt2",
        {
            "data": "trec",
            "settings": {**QUICK, "epochs": 5, "tokenizer": "wordpiece:4000", "max_tokens": 64},
            "arguments": SIZES,
        },
    ),
    "vit": (
        "vit",
        {
            "data": "fashion_mnist",
            "settings": {**QUICK, "steps": 100, "batch_size": 128, "decoder_width": 64},
            "arguments": {**PATCHES, "class_token": False},
        },
    ),
}
PICTURES = {"task": "image-classification", "labels": 500, "data": "fashion_mnist"}


def jobs(part: str, seeds: int, minilm: Path | None, out: Path) -> Iterator[dict[str, Any]]:
    """Yield the runs of a part: those by the rule first."""
    if part.startswith(("trec", "ag_news")) and minilm is None:
        raise SystemExit(f"{part} needs --minilm")
    if part in ("trec", "ag_news"):
        common: dict[str, Any] = {"kind": "finetune", "of": str(minilm), "data": part, **TEXT}
        for seed in range(seeds):
            yield {**common, "name": "rule", "seed": seed, "settings": QUICK}
            settings = {**QUICK, **BEFORE["settings"]}
            yield {**common, "name": "before", "seed": seed, "settings": settings, "arguments": BEFORE["arguments"]}
        return
    if part == "trec-rates":
        settings = {**QUICK, **HELD_OUT}
        common = {"kind": "finetune", "of": str(minilm), "data": "trec", **TEXT}
    elif part == "gpt2-pretraining":
        settings = {**QUICK, "validation": 0.1, "tokenizer": "characters", "max_tokens": 64, "steps": 150}
        common = {"kind": "pretrain", "of": "gpt2", "data": "tinyshakespeare", "arguments": SIZES}
    else:
        of, more = PRETRAINED[part]
        yield {"kind": "pretrain", "of": of, "name": "pretrained", "seed": 0, **more}
        settings = {**QUICK, **HELD_OUT, **({"steps": 150} if part == "vit" else {})}
        common = {"kind": "finetune", "of": str(out / part / "pretrained-0"), "data": "trec", **TEXT}
        common |= PICTURES if part == "vit" else {}
    for factor in FACTORS:
        for seed in range(seeds):
            yield {**common, "name": f"x{factor:g}", "factor": factor, "seed": seed, "settings": settings}


def run(job: dict[str, Any], part: str, out: Path) -> dict[str, Any]:
    """Do a job in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    folder = out / part / f"{job['name']}-{job['seed']}"
    more = {key: job[key] for key in ("data", "task", "labels", "arguments") if key in job}
    settings = {**job["settings"], "seed": job["seed"]}
    if job.get("factor", 1.0) != 1.0:
        by_rule = json.loads((out / part / f"x1-{job['seed']}" / "run.json").read_bytes())["settings"]
        settings["learning_rate"] = job["factor"] * by_rule["learning_rate"]
    start = time.process_time()
    do = zoo.pretrain if job["kind"] == "pretrain" else zoo.finetune
    result = do(job["of"], out=folder, settings=settings, force=True, **more)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    held = [line for line in lines if line["event"] == "validation"]
    resolved = json.loads((folder / "run.json").read_bytes())
    return {
        "part": part,
        **{key: job[key] for key in ("name", "seed")},
        "learning_rate": resolved["settings"]["learning_rate"],
        "held_out": held[-1] if held else {},
        "scores": result.scores,
        "cpu_minutes": (time.process_time() - start) / 60,
    }


def score_of(part: str) -> tuple[str, float]:
    """Return the score of a part, and by what it is multiplied so that more is better."""
    return ("loss", -1.0) if part == "gpt2-pretraining" else ("accuracy", 1.0)


def table(results: list[dict[str, Any]]) -> list[str]:
    """Return the table's lines, one for each part."""
    lines = ["| what | rate | held out | test | seeds |", "|---|---|---|---|---|"]
    for part in dict.fromkeys(result["part"] for result in results):
        score, sign = score_of(part)
        groups: dict[str, list[dict[str, Any]]] = {}
        for result in results:
            if result["part"] == part and result["name"] != "pretrained":
                groups.setdefault(result["name"], []).append(result)
        compared = {name: found for name, found in groups.items() if name.startswith("x")}
        held = {name: statistics.mean(item["held_out"][score] for item in found) for name, found in compared.items()}
        best = max(held, key=lambda name: sign * held[name]) if held else None
        for name, found in groups.items():
            marks = {"x1": "by the rule", "before": "before", "rule": "by the rule, all labels"}
            mark = ", ".join(
                filter(None, (marks.get(name, f"{name[1:]} x"), "**best held out**" if name == best else ""))
            )
            scores = [item["scores"][score] for item in found]
            spread = f" ± {statistics.stdev(scores):.2f}" if len(scores) > 1 else ""
            rate = statistics.mean(item["learning_rate"] for item in found)
            shown = f"{held[name]:.2f}" if name in held else ""
            test = f"{statistics.mean(scores):.2f}{spread}"
            lines.append(f"| {part}, {score}: {mark} | {rate:.3g} | {shown} | {test} | {len(scores)} |")
    return lines


def read(record: Path) -> list[dict[str, Any]]:
    """Return the results that are there."""
    return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts", nargs="*", default=["trec", "gpt2-pretraining", "gpt2", "vit", "ag_news", "trec-rates"]
    )
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-rates"))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    record = asked.out / "results.jsonl"
    if asked.job:
        part, job = json.loads(asked.job)
        result = run(job, part, asked.out)
        with open(record, "a", encoding="utf-8") as file:
            file.write(json.dumps(result) + "\n")
        return
    asked.out.mkdir(parents=True, exist_ok=True)
    for part in asked.parts:
        for job in jobs(part, asked.seeds, asked.minilm, asked.out):
            done = {(item["part"], item["name"], item["seed"]) for item in read(record)}
            if (part, job["name"], job["seed"]) not in done:
                shared = ["--out", str(asked.out), "--job", json.dumps([part, job])]
                subprocess.run([sys.executable, __file__, *shared], check=True, stdout=subprocess.DEVNULL)
    lines = table(read(record))
    print("\n".join(lines))
    if asked.write:
        asked.write.with_suffix(".json").write_text(json.dumps(read(record), indent=1) + "\n")
        asked.write.write_text("\n".join(["# Rates by the rule", "", *lines, ""]))


if __name__ == "__main__":
    main()
