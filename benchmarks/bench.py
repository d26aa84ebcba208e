"""Measure what pretraining is worth by its defaults, on small data sets that no recipe was made for.

    ZOO_DATA=../shared/data python benchmarks/bench.py [--parts TASK|choosing|held-out|pictures|texts ...] [--seeds 2]
        [--arms scratch pretrained pulled baseline] [--recipes denoising simclr masked simcse electra]
        [--set NAME=VALUE]... [--minilm FOLDER] [--out /tmp/zoo-bench] [--show]

A network is pretrained once a task and recipe, on the training split without its labels, and finetuned for each seed
with few of them: the seed draws which, and all else. The arm `scratch` is the same network from random weights,
`pulled` goes on from weights that others have made, and `baseline` is the modality's classical one. Whatever is not
set is left to Zoo's defaults; `--set` changes settings of finetuning, and keeps its results apart. Each run is a
process of one thread. What is done already, in OUT/results.jsonl, is not done again; what there is then is written as a
table, OUT/table.md and OUT/table.json, and as a picture, OUT/gains.png. The half `held-out` chooses nothing: it is met
with 3 seeds or more, and never with other settings.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench_tasks import TASKS, Task

SMALL = {"depths": [1, 1, 1, 1], "widths": [16, 32, 64, 128], "cifar_stem": True}
TEXT = {"width": 128, "depth": 2, "num_heads": 2, "mlp_width": 512}
RECIPES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "denoising": ("pictures", "conv_autoencoder", {}, {}),
    "simclr": ("pictures", "resnet18", SMALL, {"epochs": 20}),
    "masked": ("texts", "bert", TEXT, {"steps": 300}),
    "simcse": ("texts", "bert", TEXT, {"steps": 150}),
    "electra": ("texts", "bert", TEXT, {"steps": 220}),
}
"""The kind of data, the model with its arguments, and what is set: no more than makes it small."""
GOALS = {"pictures": "image-classification", "texts": "text-classification"}
STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}
"""Student's t by the number of seeds, for intervals of 95 %."""


def jobs(task: Task, asked: argparse.Namespace, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the runs of a task with a seed."""
    known = {"task": task.name, "half": task.half, "labels": task.labels, "seed": seed, "settings": asked.settings}
    for recipe in asked.recipes:
        if RECIPES[recipe][0] == task.kind:
            for arm in ("scratch", "pretrained"):
                if arm in asked.arms:
                    yield {**known, "arm": arm, "recipe": recipe if arm == "pretrained" else scratch_of(recipe)}
    pulled = resnet20() if task.kind == "pictures" else asked.minilm
    if "pulled" in asked.arms and pulled is not None:
        yield {**known, "arm": "pulled", "recipe": "resnet20" if task.kind == "pictures" else "minilm"}
    if "baseline" in asked.arms:
        yield {**known, "arm": "baseline", "recipe": "", "settings": {}}


def resnet20() -> Path:
    return Path(os.environ["ZOO_DATA"]) / "weights" / "resnet20_cifar10"


def run(job: dict[str, Any], out: Path, minilm: Path | None) -> dict[str, Any]:
    """Do a job in this process."""
    import torch

    import zoo

    torch.set_num_threads(1)
    task = next(task for task in TASKS if task.name == job["task"])
    data, before = str(task.folder(out / "data")), time.process_time()
    common = {"task": GOALS[task.kind], "data": data, "labels": job["labels"]}
    if job["arm"] == "baseline":
        found = classical(task, data, job["seed"])
    else:
        weights = {"resnet20": resnet20(), "minilm": minilm}.get(job["recipe"]) or pretrained(task, job["recipe"], out)
        settings = {**job["settings"], "evaluations": 1, "seed": job["seed"]}
        method = "scratch" if job["arm"] == "scratch" else None
        before = time.process_time()
        made = zoo.finetune(
            weights, **common, out=out / f"run-{os.getpid()}", method=method, settings=settings, force=True
        )
        found = made.scores
    minutes = (time.process_time() - before) / 60
    return {**job, "kind": task.kind, "accuracy": found["accuracy"], "cpu_minutes": round(minutes, 3)}


def classical(task: Task, data: str, seed: int) -> dict[str, float]:
    """Return what `--baselines` would say of the classical method; no network is needed for that."""
    from zoo.modalities.data_source import data_source, with_options
    from zoo.registry.recipe_settings import settings_from
    from zoo.registry.registry import default_registry, load_modality
    from zoo.specs.modality import Need

    registry = default_registry()
    goal, model = registry.task(GOALS[task.kind]).spec, registry.model(RECIPES[recipes_of(task.kind)[0]][1]).spec
    recipe = registry.recipe(goal.recipe)
    need = Need(
        stage="finetune", recipe=recipe.spec, settings=settings_from(recipe, {"seed": seed}), model=model, task=goal
    )
    source = with_options(data_source(data, None, None), model.modality)
    return dict(load_modality(model.modality).baseline(source, need, task.labels).scores)


def pretrained(task: Task, recipe: str, out: Path) -> Path:
    """Return the run that pretrained on a task's training split."""
    import zoo

    _, model, arguments, settings = RECIPES[recipe]
    run = out / "pretrained" / f"{task.name}-{recipe}"
    if not (run / "weights").exists():
        data = str(task.folder(out / "data"))
        more = {"recipe": {"electra": "replaced_token_detection"}.get(recipe, recipe)} if recipe != "masked" else {}
        settings = {**settings, "evaluations": 1}
        zoo.pretrain(model, data=data, out=run, settings=settings, arguments=arguments, force=True, **more)
    return run


def key_of(row: dict[str, Any]) -> str:
    return json.dumps([row[name] for name in ("task", "labels", "arm", "recipe", "settings", "seed")], sort_keys=True)


def gain(row: dict[str, Any], results: dict[str, dict[str, Any]]) -> float | None:
    """Return how much better a run was than that from scratch with the same seed and the defaults."""
    recipe = row["recipe"] if row["recipe"] in RECIPES else next(iter(recipes_of(row["kind"])))
    scratch = results.get(key_of({**row, "arm": "scratch", "recipe": scratch_of(recipe), "settings": {}}))
    return None if scratch is None else row["accuracy"] - scratch["accuracy"]


def scratch_of(recipe: str) -> str:
    """Return the first recipe of the same network: from scratch they are one."""
    return next(name for name, made in RECIPES.items() if made[:3] == RECIPES[recipe][:3])


def recipes_of(kind: str) -> list[str]:
    return [name for name, (of, *_) in RECIPES.items() if of == kind]


def table(results: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the table: means over seeds, and the gain over scratch, by pairs, with its 95 % interval."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in results.values():
        groups.setdefault(key_of({**row, "seed": None}), []).append(row)
    places = {task.name: place for place, task in enumerate(TASKS)}
    for found in sorted(groups.values(), key=lambda rows: (places[rows[0]["task"]], rows[0]["arm"], rows[0]["recipe"])):
        values, gains = [row["accuracy"] for row in found], [gain(row, results) for row in found]
        paired = [value for value in gains if value is not None]
        count = len(paired)
        half = STUDENT.get(count, 2.2) * statistics.stdev(paired) / count**0.5 if count > 1 else None
        yield {
            **{name: found[0][name] for name in ("task", "half", "kind", "labels", "arm", "recipe", "settings")},
            "mean": statistics.mean(values),
            "deviation": statistics.stdev(values) if len(values) > 1 else None,
            "seeds": sorted(row["seed"] for row in found),
            "gain": statistics.mean(paired) if paired else None,
            "interval": half,
            "cpu_minutes": statistics.mean(row["cpu_minutes"] for row in found),
        }


def write_table(rows: list[dict[str, Any]], path: Path) -> None:
    lines = [
        "| half | task | labels | arm | set | accuracy | seeds | gain over scratch, 95 % |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        said = " ".join(f"{name}={value}" for name, value in row["settings"].items())
        spread = "" if row["deviation"] is None else f" ± {row['deviation']:.1f}"
        gained = "" if row["gain"] is None or row["arm"] == "scratch" and not said else f"{row['gain']:+.1f}"
        gained += f" ± {row['interval']:.1f}" if gained and row["interval"] is not None else ""
        cells = (row["half"], row["task"], row["labels"], f"{row['arm']} {row['recipe']}".strip(), said)
        lines.append(f"| {' | '.join(map(str, cells))} | {row['mean']:.1f}{spread} | {len(row['seeds'])} | {gained} |")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the gains over scratch with their intervals, a row for each task and a mark for each way."""
    from matplotlib.figure import Figure

    shown = [row for row in rows if row["gain"] is not None and (row["arm"] != "scratch" or row["settings"])]
    tasks = [task for task in reversed(TASKS) if any(row["task"] == task.name for row in shown)]
    ways = sorted({_way(row) for row in shown})
    figure = Figure(figsize=(9, 1.5 + 0.45 * len(tasks)), layout="constrained")
    axes = figure.subplots()
    for place, way in enumerate(ways):
        mine = [row for row in shown if _way(row) == way]
        heights = [
            next(at for at, task in enumerate(tasks) if task.name == row["task"])
            + 0.6 * (place + 0.5) / len(ways)
            - 0.3
            for row in mine
        ]
        spans = [row["interval"] or 0.0 for row in mine]
        axes.errorbar([row["gain"] for row in mine], heights, xerr=spans, fmt="o", markersize=4, capsize=2, label=way)
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlim(-30, 45)
    axes.set_yticks(range(len(tasks)), [f"{task.name} ({task.half})" for task in tasks])
    axes.set_xlabel("accuracy, points above scratch")
    axes.legend(fontsize=7)
    figure.savefig(path, dpi=150)


def _way(row: dict[str, Any]) -> str:
    said = [f"{name}={value}" for name, value in row["settings"].items()]
    return " ".join([row["arm"], *([row["recipe"]] if row["arm"] == "pretrained" else []), *said])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=["choosing"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--arms", nargs="+", default=["scratch", "pretrained", "pulled", "baseline"])
    parser.add_argument("--recipes", nargs="+", default=["denoising", "masked"], choices=list(RECIPES))
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-bench"))
    parser.add_argument("--show", action="store_true", help="run nothing; write table and picture of what there is")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked.settings = dict(pair.split("=", 1) for pair in asked.settings)
    if asked.job:
        print(json.dumps(run(json.loads(asked.job), asked.out, asked.minilm)))
        return
    tasks = [task for task in TASKS if {task.name, task.half, task.kind} & set(asked.parts)]
    if any(task.half == "held-out" for task in tasks) and not asked.show and (asked.settings or asked.seeds < 3):
        parser.error("tasks of the half held-out choose nothing: omit --set, and give --seeds 3 or more")
    asked.out.mkdir(parents=True, exist_ok=True)
    record = asked.out / "results.jsonl"
    lines = record.read_text().splitlines() if record.exists() else []
    results = {key_of(row): row for row in map(json.loads, lines)}
    command = [
        sys.executable,
        __file__,
        "--out",
        str(asked.out),
        *(["--minilm", str(asked.minilm)] if asked.minilm else []),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    for job in (job for seed in range(asked.seeds) for task in tasks for job in jobs(task, asked, seed)):
        if asked.show or key_of(job) in results:
            continue
        line = [*command, "--job", json.dumps(job)]
        printed = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
        result = json.loads(printed.splitlines()[-1])
        results[key_of(result)] = result
        with record.open("a") as file:
            file.write(json.dumps(result) + "\n")
        print(f"{_way(result):30} {result['task']:20} seed {result['seed']}  {result['accuracy']:.2f}", flush=True)
    rows = list(table(results))
    (asked.out / "table.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    write_table(rows, asked.out / "table.md")
    draw(rows, asked.out / "gains.png")


if __name__ == "__main__":
    main()
