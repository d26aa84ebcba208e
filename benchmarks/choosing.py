"""Measure how well `zoo choose` foretells what finetuning gives: weights × data sets, every pair finetuned.

The pool is small enough for one core: weights by short runs of Zoo's own recipes, random ones, resnet20 of CIFAR-10 and
all-MiniLM-L6-v2; up to 600 training and 600 test samples a set. What is done already, in OUT/results.jsonl, is not
done again; seed 0 of all sets comes before seed 1.

    ZOO_DATA=../shared/data python benchmarks/choosing.py run --minilm FOLDER [--minutes 90] [--sets digits news ...]
    ZOO_DATA=../shared/data python benchmarks/choosing.py replay --minilm FOLDER [--write FILE.json]

Both keep what they make in --out, /tmp/zoo-choosing.

`replay` computes all scores again, from the features that `run` cached, and compares them with the finetunings by
`scipy.stats.weightedtau`; which score foretells best is chosen by the other sets (leave one set out). The interval is
that of resampled sets. `run` also finetunes a few pairs with 5 labels a class and with all, frozen and in full.

Data: the pictures of Fashion-MNIST, CIFAR-10 and scikit-learn's digits, cells cut out of BCCD, spoken digits as
spectrograms; questions of TREC by 6 and by 50 classes, AG News, who speaks in Shakespeare.
"""

import argparse
import itertools
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from choosing_compared import CLASSICAL, compared
from choosing_data import SETS, Kind, pool, written

if TYPE_CHECKING:
    from zoo_choose.estimates import Estimate

Work = Callable[[], dict[str, float]]
STEPS = 300
SEEDS = (0, 1)
QUICK = {"precision": "bf16", "evaluations": 1}
FINETUNED: dict[Kind, dict[str, Any]] = {
    "image": {**QUICK, "steps": STEPS, "batch_size": 32, "augmentation": "shift"},
    "text": {**QUICK, "steps": STEPS, "batch_size": 16, "max_tokens": 32},
}
CLASSES = {"digits": 10, "sounds": 10, "questions": 6}
RANDOM = "random"
METHODS = (("digits", "fashion-simclr"), ("sounds", "cifar-autoencoder"), ("questions", "news-masked"))
SMALL = {"depths": [1, 1, 1, 1], "widths": [8, 16, 32, 64], "cifar_stem": True}
PATCHES = {"width": 64, "depth": 4, "num_heads": 2, "mlp_width": 128, "patch_size": 4, "pool": "avg"}
READER = {"width": 128, "depth": 2, "num_heads": 4, "mlp_width": 512}
WORDS = {**QUICK, "max_tokens": 32, "learning_rate": 2e-3, "steps": 200, "batch_size": 32}
BRISK = {"optimizer": "adamw", "learning_rate": 4e-3, "weight_decay": 0.05, "augmentation": "shift"}


def recipes() -> dict[str, tuple[Kind, str, str, str, dict[str, Any], dict[str, Any]]]:
    """Return the weights that Zoo makes by name: kind, model, pool, recipe, arguments, settings."""
    steps = {**QUICK, "batch_size": 64, "steps": 200}
    return {
        "fashion-supervised": ("image", "resnet18", "fashion", "supervised", SMALL, {**steps, **BRISK}),
        "cifar-supervised": ("image", "resnet18", "cifar", "supervised", SMALL, {**steps, **BRISK}),
        "fashion-simclr": ("image", "resnet18", "fashion", "simclr", SMALL, {**steps, "steps": 120}),
        "cifar-simclr": ("image", "resnet18", "cifar", "simclr", SMALL, {**steps, "steps": 120}),
        "cifar-autoencoder": ("image", "conv_autoencoder", "cifar", "reconstruction", {}, {**steps, "steps": 120}),
        "cifar-masked": ("image", "vit", "cifar", "masked_image_modelling", PATCHES, {**steps, "decoder_width": 32}),
        "news-masked": ("text", "bert", "news", "masked_language_modelling", {**READER, "pool": "avg"}, WORDS),
        "trec-masked": ("text", "bert", "questions", "masked_language_modelling", {**READER, "pool": "avg"}, WORDS),
        "plays-causal": ("text", "gpt2", "plays", "causal_language_modelling", READER, WORDS),
    }


def made(out: Path, minilm: Path | None) -> dict[str, tuple[Kind, Path]]:
    """Make the weights that are not there yet; return all by name."""
    import zoo

    folder = out / "weights"
    found: dict[str, tuple[Kind, Path]] = {}
    for name, (kind, model, data, recipe, arguments, settings) in recipes().items():
        run = folder / name
        if not (run / "weights").is_dir():
            source = pool(data, out / "pools" / data)
            zoo.pretrain(
                model, data=str(source), out=run, recipe=recipe, arguments=arguments, settings=settings, force=True
            )
        found[name] = kind, run
    others = Path(os.environ["ZOO_DATA"]) / "weights"
    found["resnet20-cifar10"] = "image", others / "resnet20_cifar10"
    found["stories260k"] = "text", others / "stories260k"
    if not (folder / RANDOM).is_dir():
        inputs = zoo.Preprocessing(image_size=(32, 32), channels=3, mean=(0.5,) * 3, std=(0.25,) * 3)
        zoo.save(zoo.create("resnet18", num_classes=10, **SMALL), folder / RANDOM, inputs=inputs)
    found[RANDOM] = "image", folder / RANDOM
    if minilm is not None:
        found["minilm"] = "text", minilm
    return found


def looked_at(weights: Path, name: str, out: Path) -> "Estimate":
    """Return what `zoo choose` foretells of weights; features come from the cache where they are there."""
    from zoo_choose.choosing import Request
    from zoo_choose.estimates import estimate

    request = Request(task=SETS[name][1], data=str(out / "sets" / name), out=out / "dry", samples=600)
    return estimate(str(weights), request)


def foretold(weights: Path, name: str, out: Path) -> dict[str, float]:
    """Return every score that looks at features alone."""
    found = looked_at(weights, name, out)
    scores = {"probe": found.probed.score, "h_score": found.h_score, "log_me": found.log_me, "n_leep": found.n_leep}
    return {key: value for key, value in scores.items() if value is not None}


def advised(weights: Path, name: str, out: Path, labels: int | None) -> str:
    """Return the method that `zoo choose` advises for so many labels."""
    from zoo_choose.advice import method_for
    from zoo_choose.choosing import Request
    from zoo_choose.ranking import ranked

    best = ranked([looked_at(weights, name, out)], 0)[0]
    return method_for(best, Request(task=SETS[name][1], data=name, labels=labels)).name


def finetuned(
    weights: Path, name: str, task: str, out: Path, seed: int, method: str, labels: int | None = None
) -> dict[str, float]:
    """Return the accuracy of finetuned weights on the test split."""
    import zoo

    result = zoo.finetune(
        weights,
        task=task,
        data=str(out / "sets" / name),
        out=out / "run",
        method=method,
        labels=labels,
        settings={**FINETUNED[SETS[name][0]], "seed": seed},
        force=True,
    )
    return {"accuracy": result.scores["accuracy"]}


def classical(weights: Path, name: str, task: str, out: Path, seed: int) -> dict[str, float]:
    """Return what the modality's classical method tells of training samples and of the test split."""
    import zoo
    from zoo.api.requests import finetune_request
    from zoo.modalities.data_source import with_options
    from zoo.registry.registry import load_modality
    from zoo.training.job import finetuning

    data = str(out / "sets" / name)
    held_out = zoo.held_out_baseline(weights, task=task, data=data, samples=600, seed=seed)
    assert held_out is not None
    request = finetune_request(weights, task=task, data=data, out=out / "baseline", settings={"seed": seed})
    modality: Any = load_modality(SETS[name][0])
    tested = modality.baseline(with_options(request.data, SETS[name][0]), finetuning(request).need, None)
    pairs = zip(held_out.answers, held_out.labels, strict=True)
    return {"probe": 100 * statistics.mean(said == true for said, true in pairs), **tested.scores}


def measured(work: Callable[[], dict[str, float]]) -> dict[str, Any]:
    """Return what work comes to, and its processor time; of work that fails the reason."""
    import zoo

    before = time.process_time()
    try:
        return {"scores": work(), "cpu_seconds": round(time.process_time() - before, 2)}
    except zoo.ZooError as error:
        return {"failed": str(error)}


def read(out: Path) -> list[dict[str, Any]]:
    """Return what is done."""
    path = out / "results.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line] if path.exists() else []


def parts(
    weights: dict[str, tuple[Kind, Path]], out: Path, sets: Sequence[str]
) -> Iterator[tuple[dict[str, Any], Work]]:
    """Yield every part in its order: all sets with one seed, a few by another method, the next seed."""
    for seed in SEEDS:
        for name in sets:
            kind, task = SETS[name]
            mine = {key: path for key, (its, path) in weights.items() if its == kind}
            for key, path in mine.items() if seed == 0 else ():
                yield _row(name, key, seed, "foretold"), partial(foretold, path, name, out)
            if seed == 0:
                first = next(iter(mine.values()))
                yield _row(name, CLASSICAL, seed, CLASSICAL), partial(classical, first, name, task, out, seed)
            for key, path in mine.items():
                work = partial(finetuned, path, name, task, out, seed, "scratch" if key == RANDOM else "full")
                yield _row(name, key, seed, "finetuned"), work
        yield from by_method(weights, out) if seed == 0 else ()


def by_method(weights: dict[str, tuple[Kind, Path]], out: Path) -> Iterator[tuple[dict[str, Any], Work]]:
    """Yield a few pairs with few labels and with all, frozen and in full."""
    for name, key in METHODS:
        (_, path), task = weights.get(key, (None, None)), SETS[name][1]
        for labels, method in itertools.product((5, None), ("frozen", "full")) if path else ():
            count = labels and labels * CLASSES[name]
            row = {**_row(name, key, 0, "method"), "method": method, "labels": count}
            yield row, partial(finetuned, path, name, task, out, 0, method, count)


def _row(name: str, weights: str, seed: int, part: str) -> dict[str, Any]:
    return {"set": name, "weights": weights, "seed": seed, "part": part}


def run(out: Path, minilm: Path | None, minutes: float, sets: Sequence[str]) -> None:
    """Do what is not done yet, part by part, until the time is over."""
    import torch

    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * minutes
    weights = made(out, minilm)
    for name in sets:
        written(name, out / "sets" / name)
    done = [{key: value for key, value in row.items() if key not in ("scores", "cpu_seconds")} for row in read(out)]
    with open(out / "results.jsonl", "a", encoding="utf-8") as record:
        for row, work in parts(weights, out, sets):
            if row in done:
                continue
            if time.monotonic() > end:
                return
            row |= measured(work)
            record.write(json.dumps(row) + "\n")
            record.flush()
            print(json.dumps(row), flush=True)


def replay(out: Path, minilm: Path | None) -> dict[str, Any]:
    """Foretell again from cached features, and compare with what finetuning gave."""
    weights, rows = made(out, minilm), read(out)
    tuned = {(row["set"], row["weights"]) for row in rows if row["part"] == "finetuned" and "scores" in row}
    told: dict[str, dict[str, dict[str, float]]] = {}
    for name, key in sorted(tuned):
        told.setdefault(name, {})[key] = foretold(weights[key][1], name, out)
    methods = [row for row in rows if row["part"] == "method" and "scores" in row]
    for row in methods:
        row["advised"] = advised(weights[row["weights"]][1], row["set"], out, row["labels"])
    return {**compared(rows, told), "methods": methods}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run", "replay"])
    parser.add_argument("--out", type=Path, default=Path("/tmp/zoo-choosing"))
    parser.add_argument("--minilm", type=Path)
    parser.add_argument("--minutes", type=float, default=600)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--write", type=Path)
    asked = parser.parse_args()
    os.environ["ZOO_CACHE"] = str(asked.out / "cache")
    if asked.command == "run":
        run(asked.out, asked.minilm, asked.minutes, asked.sets)
        return
    found = replay(asked.out, asked.minilm)
    text = json.dumps(found, indent=1)
    if asked.write:
        asked.write.write_text(text + "\n", encoding="utf-8")
    print(json.dumps({key: value for key, value in found.items() if key != "sets"}, indent=1))
    for one in found["sets"]:
        print(one["set"], one["tau"], one["regret"], one["finetuned"])


if __name__ == "__main__":
    main()
