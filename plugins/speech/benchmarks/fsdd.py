"""Measure what the plugin learns of spoken digits: all labels, speakers held out, and strings of digits.

    ZOO_DATA=… python plugins/speech/benchmarks/fsdd.py RUNS labels|speakers|frozen|strings [--epochs N]

Prints a line for each run, and mean and deviation behind the last. RUNS is a folder that what was done is kept in.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import zoo

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
MODEL, ARGUMENTS = "tc_resnet_8", {"scale": 2.0, "segments": 4, "dropout": 0.1}
STRETCHED = {"fit": "stretch"}


def pretrained(runs: Path, name: str, steps: dict[str, Any], options: dict[str, Any], data: str = "fsdd") -> Path:
    """Return a run that was pretrained without labels, made where it is not there."""
    out = runs / name
    if not (out / "weights").is_dir():
        zoo.pretrain(MODEL, data=data, out=out, arguments=ARGUMENTS, settings=steps, data_options=options)
    return out


def finetuned(base: Path, out: Path, options: dict[str, Any], **settings: Any) -> float:
    """Return the accuracy of a run."""
    if not (out / "weights").is_dir():
        zoo.finetune(base, task="audio-classification", data="fsdd", out=out, settings=settings, data_options=options)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().strip().split("\n")]
    return float(next(line["accuracy"] for line in reversed(lines) if "accuracy" in line))


def show(name: str, scores: list[float]) -> None:
    """Print mean and deviation."""
    print(f"{name}: {statistics.mean(scores):.1f} ± {statistics.pstdev(scores):.1f} of {len(scores)}", flush=True)


def labels(runs: Path, epochs: int) -> None:
    """Finetune on all labels from random weights and from pretrained ones, three seeds each."""
    bases = {"scratch": pretrained(runs, "fresh", {"steps": 1}, STRETCHED)}
    if (runs / "contrastive" / "weights").is_dir():
        bases["full"] = runs / "contrastive"
    for method, base in bases.items():
        scores = []
        for seed in range(3):
            out = runs / f"labels-{method}-{seed}"
            scores.append(finetuned(base, out, {}, method=method, seed=seed, epochs=epochs))
            print(out.name, round(scores[-1], 2), flush=True)
        show(f"all labels, {method}", scores)


def speakers(runs: Path, epochs: int) -> None:
    """Finetune from random weights with each speaker held out in turn."""
    base, scores = pretrained(runs, "fresh", {"steps": 1}, STRETCHED), []
    for speaker in SPEAKERS:
        out = runs / f"without-{speaker}"
        scores.append(finetuned(base, out, {"held_out": speaker}, method="scratch", epochs=epochs))
        print(out.name, round(scores[-1], 2), flush=True)
    show("speaker held out, scratch", scores)


def frozen(runs: Path, epochs: int) -> None:
    """Score frozen features by logistic regression on 8 labels a class, ten draws; scikit-learn is needed."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from zoo_speech.fsdd import fsdd

    base = pretrained(runs, "contrastive", {"epochs": epochs}, STRETCHED)
    model, clips = zoo.load(base), fsdd(None)
    vectors, truths = {}, {}
    for split, part in clips.splits.items():
        vectors[split] = model.embed([clip.source for clip in part]).numpy()
        truths[split] = np.array([clip.label for clip in part])
    scaler = StandardScaler().fit(vectors["train"])
    train, test = (scaler.transform(vectors[split]) for split in ("train", "test"))
    scores = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        chosen = np.concatenate(
            [
                random.choice(np.flatnonzero(truths["train"] == label), 8, replace=False)
                for label in sorted(set(truths["train"]))
            ]
        )
        probe = LogisticRegression(max_iter=1000).fit(train[chosen], truths["train"][chosen])
        scores.append(100 * probe.score(test, truths["test"]))
    show("8 labels a class, frozen", scores)


def strings(runs: Path, epochs: int) -> None:
    """Learn to write down strings of digits."""
    base = pretrained(runs, "fresh-strings", {"steps": 1}, {}, data="fsdd_strings")
    out = runs / "strings"
    if not (out / "weights").is_dir():
        zoo.finetune(
            base,
            task="automatic-speech-recognition",
            data="fsdd_strings",
            out=out,
            settings={"epochs": epochs, "method": "scratch"},
        )
    print((out / "metrics.jsonl").read_text().strip().split("\n")[-1], flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("what", choices=("labels", "speakers", "frozen", "strings"))
    parser.add_argument("--epochs", type=int, default=40)
    asked = parser.parse_args()
    globals()[asked.what](asked.runs, asked.epochs)
