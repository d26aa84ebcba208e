"""The tables of the README: `python ml_100k.py FOLDER RUNS [CASE…]`, FOLDER being where recbole's wheel lies.

What is said of each model was chosen by runs with `validation=0.2`, on rows held out of the training split alone.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import zoo

LAST = {"split": "last"}
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "popularity": ("popularity", {}, {}, {}),
    "item_knn": ("item_knn", {"neighbors": 200, "shrinkage": 50.0}, {}, {}),
    "ease": ("ease", {"regularization": 800.0}, {}, {}),
    "bpr_mf": ("bpr_mf", {"width": 64}, {"learning_rate": 5e-3, "regularization": 4e-2, "epochs": 40}, {}),
    "lightgcn": (
        "lightgcn",
        {"width": 64, "layers": 2},
        {"learning_rate": 5e-3, "regularization": 1e-3, "epochs": 60},
        {},
    ),
    "mult_vae": ("mult_vae", {}, {"learning_rate": 1e-3, "kl_weight": 0.5, "epochs": 95}, {}),
    "popularity-last": ("popularity", {}, {}, LAST),
    "item_knn-last": ("item_knn", {"neighbors": 200, "shrinkage": 50.0}, {}, LAST),
    "ease-last": ("ease", {"regularization": 100.0}, {}, LAST),
    "sasrec-last": (
        "sasrec",
        {"max_items": 50, "width": 64, "dropout": 0.3},
        {"learning_rate": 2e-3, "negatives": 64, "epochs": 60},
        LAST,
    ),
    "sasrec": (
        "sasrec",
        {"max_items": 50, "width": 64, "dropout": 0.3},
        {"learning_rate": 2e-3, "negatives": 64, "epochs": 60},
        {},
    ),
}


def main(folder: str, runs: Path, names: list[str]) -> None:
    for name in names or CASES:
        model, arguments, settings, options = CASES[name]
        begun = time.perf_counter()
        run = zoo.pretrain(
            model,
            data="ml_100k",
            data_dir=folder,
            out=runs / name,
            arguments=arguments,
            settings={**settings, "evaluations": 1},
            data_options=options,
            force=True,
        )
        scores = {figure: round(value, 4) for figure, value in run.scores.items()}
        print(json.dumps({"case": name, **scores, "seconds": round(time.perf_counter() - begun)}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
