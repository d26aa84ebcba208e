"""Measure what the plugin learns of spoken digits: all labels, speakers held out, few labels, and strings of digits.

    ZOO_DATA=… python plugins/speech/benchmarks/fsdd.py RUNS labels|speakers|frozen|strings [--fold N] [--set A=B …]

Prints a line for each run, and mean and deviation behind the last. RUNS is a folder that what was done is kept in; a
run that is there is not made again, and one that was stopped goes on. With `--fold` (0 to 4) nothing is seen of the
test split: of each speaker and digit, recordings 2 N + 5 and 2 N + 6 are held out of those to train on, to choose by.
"""

import argparse
import json
import os
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zoo

SPEAKERS = ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
MODEL, ARGUMENTS = "tc_resnet_8", {"scale": 2.0, "segments": 4, "dropout": 0.1}
OF_STRINGS = {"scale": 2.0, "reduction": 4, "dropout": 0.1}
STRETCHED = {"fit": "stretch"}
_FIRST, _HELD_OUT = 5, 2
"""The first recording to train on, and how many are held out of each fold."""


@dataclass(frozen=True)
class Asked:
    """Where runs are kept, what they learn from, and the settings that are not the defaults."""

    runs: Path
    data_dir: Path | None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The settings, as a part of the names of runs."""
        return "".join(f"-{key}={value}" for key, value in sorted(self.settings.items()))


def fold(runs: Path, number: int) -> Path:
    """Return a folder of links to recordings to train on, of which some are called as those to test on are."""
    root = Path(os.environ["ZOO_DATA"]) / "fsdd/recordings"
    folder = runs / "data" / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    for path in root.glob("*.wav"):
        digit, speaker, take = path.stem.split("_")
        place = int(take) - _FIRST - _HELD_OUT * number
        name = f"{digit}_{speaker}_{place if place in range(_HELD_OUT) else take}.wav"
        if int(take) >= _FIRST and not (folder / name).is_symlink():
            (folder / name).symlink_to(path)
    return folder.parent


def pretrained(asked: Asked, name: str, arguments: dict[str, Any], **options: Any) -> Path:
    """Return a run that was pretrained without labels, made where it is not there."""
    out = asked.runs / name
    if not (out / "weights").is_dir():
        zoo.pretrain(MODEL, data_dir=asked.data_dir, out=out, arguments=arguments, **options)
    return out


def fresh(asked: Asked) -> Path:
    """Return a run of one step, whose weights are not used: it says how sounds become inputs."""
    return pretrained(asked, "fresh", ARGUMENTS, data="fsdd", settings={"steps": 1}, data_options=STRETCHED)


def contrastive(asked: Asked, held_out: str | None = None) -> Path:
    """Return a run that was pretrained on views of clips, of all speakers but one."""
    options = {**STRETCHED, **({"held_out": held_out} if held_out else {})}
    name = f"contrastive{f'-without-{held_out}' if held_out else ''}{asked.name}"
    return pretrained(asked, name, ARGUMENTS, data="fsdd", settings=asked.settings, data_options=options)


def scored(base: Path, out: Path, asked: Asked, *, task: str, data: str, **options: Any) -> dict[str, float]:
    """Return the scores of a run that was finetuned, made where it is not there."""
    if not (out / "weights").is_dir():
        zoo.finetune(base, task=task, data=data, data_dir=asked.data_dir, out=out, **options)
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().strip().split("\n")]
    found: dict[str, float] = next(line for line in reversed(lines) if line["event"] == "test")
    return found


def show(name: str, scores: list[float]) -> None:
    """Print mean and deviation."""
    print(f"{name}: {statistics.mean(scores):.1f} ± {statistics.pstdev(scores):.1f} of {len(scores)}", flush=True)


def labels(asked: Asked) -> None:
    """Finetune on all labels from random weights and, where there are any, from pretrained ones, three seeds each."""
    bases = {"scratch": fresh(asked)}
    if (asked.runs / "contrastive" / "weights").is_dir():
        bases["full"] = asked.runs / "contrastive"
    for method, base in bases.items():
        scores = []
        for seed in range(3):
            out = asked.runs / f"labels-{method}{asked.name}-{seed}"
            settings = {**asked.settings, "method": method, "seed": seed}
            found = scored(base, out, asked, task="audio-classification", data="fsdd", settings=settings)
            scores.append(found["accuracy"])
            print(out.name, round(scores[-1], 2), flush=True)
        show(f"all labels, {method}{asked.name}", scores)


def speakers(asked: Asked) -> None:
    """Finetune with each speaker held out in turn: from random weights, and from what the others' clips have taught."""
    for method in ("scratch", "full"):
        scores = []
        for speaker in SPEAKERS:
            out = asked.runs / f"without-{speaker}-{method}"
            base = fresh(asked) if method == "scratch" else contrastive(Asked(asked.runs, asked.data_dir), speaker)
            settings = {**asked.settings, "method": method}
            found = scored(
                base,
                out,
                asked,
                task="audio-classification",
                data="fsdd",
                settings=settings,
                data_options={"held_out": speaker},
            )
            scores.append(found["accuracy"])
            print(out.name, round(scores[-1], 2), flush=True)
        show(f"speaker held out, {method}", scores)


def frozen(asked: Asked) -> None:
    """Score frozen features by logistic regression on 8 labels a class, ten draws; scikit-learn is needed."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler
    from zoo_speech.fsdd import fsdd

    base = contrastive(asked)
    model, clips = zoo.load(base), fsdd(asked.data_dir)
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
    show(f"8 labels a class, frozen{asked.name}", scores)


def strings(asked: Asked) -> None:
    """Learn to write down strings of digits; with a setting held_out=SPEAKER those of a speaker never heard."""
    settings = {"method": "scratch", **asked.settings}
    held_out = settings.pop("held_out", None)
    base = pretrained(asked, "fresh-strings", OF_STRINGS, data="fsdd_strings", settings={"steps": 1})
    out = asked.runs / f"strings{asked.name}"
    options = {"held_out": held_out} if held_out else {}
    task = "automatic-speech-recognition"
    found = scored(base, out, asked, task=task, data="fsdd_strings", settings=settings, data_options=options)
    print(f"{out.name}: WER {found['wer']:.1f}, CER {found['cer']:.1f}", flush=True)


def setting(typed: str) -> tuple[str, Any]:
    """Return the name and the value of a setting; what is no JSON is a text."""
    name, _, value = typed.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("what", choices=("labels", "speakers", "frozen", "strings"))
    parser.add_argument("--fold", type=int, choices=range(5))
    parser.add_argument("--set", type=setting, action="append", default=[], metavar="NAME=VALUE")
    typed = parser.parse_args()
    runs = typed.runs if typed.fold is None else typed.runs / f"fold-{typed.fold}"
    data = None if typed.fold is None else fold(runs, typed.fold)
    globals()[typed.what](Asked(runs, data, dict(typed.set)))
