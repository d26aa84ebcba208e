"""Score ranked lists by ranx, in an environment of its own: `python ranx_scores.py LISTS.json OUT.json`.

LISTS.json holds `ranked`, the items of each user in order, and `relevant`, those to be found. The test of metrics
compares with what this wrote.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

from ranx import Qrels, Run, evaluate

NAMES = {"ndcg": "ndcg@10", "recall": "recall@10", "hit_rate": "hit_rate@10", "mrr": "mrr@10"}


def main(lists: Path, out: Path) -> None:
    given = json.loads(lists.read_text())
    run = {
        f"u{user}": {f"i{item}": float(len(items) - place) for place, item in enumerate(items)}
        for user, items in enumerate(given["ranked"])
    }
    qrels = {f"u{user}": {f"i{item}": 1 for item in items} for user, items in enumerate(given["relevant"])}
    made_run = Run(run)
    evaluate(Qrels(qrels), made_run, list(NAMES.values()))
    scores = {
        ours: [float(made_run.scores[theirs][f"u{user}"]) for user in range(len(given["ranked"]))]
        for ours, theirs in NAMES.items()
    }
    out.write_text(json.dumps({"ranx": version("ranx"), **given, "scores": scores}) + "\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
