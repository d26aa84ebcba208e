"""How often `--check` flags maps made from random weights, and how often good ones.

    python plugins/explain/benchmarks/randomized_maps.py WEIGHTS --data cifar10 [--method layercam] [--trials 100]

In each trial both kinds of maps of the same 32 images of the test split are checked on the trained model: those of the
model itself, and those of a model whose weights were dealt out anew, all layers. Prints one line of JSON.
"""

import argparse
import json
from typing import Any

import numpy as np
import torch
from zoo_explain.checking.check import Check, explainer_on
from zoo_explain.checking.randomizing import randomized

import zoo


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("weights")
    parser.add_argument("--data", required=True)
    parser.add_argument("--method", default="layercam")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--images", type=int, default=32)
    options = parser.parse_args()
    explainer: Any = zoo.load(options.weights).explain.explainer(options.method)
    dataset: Any = zoo.dataset_for(options.weights, data=options.data)
    split = dataset.splits["test"]
    order = np.random.default_rng(0).permutation(len(split))
    counts = {"random_flagged": 0, "good_flagged": 0}
    least = {"over_moved": [], "over_edges": []}
    for trial in range(options.trials):
        places = np.take(order, np.arange(options.images) + trial * options.images, mode="wrap")
        pixels = torch.from_numpy(np.asarray(split.images[places]))
        images = zoo.as_inputs(pixels, explainer.inputs, next(explainer.model.parameters()))
        check = Check(explainer.loaded, images, explainer, batch_size=64, seed=trial)
        *_, (_, model) = randomized(explainer.model, trial)
        bad = check.maps(explainer_on(explainer.loaded, model, options.method))
        good = check.maps(explainer)
        flagged = check.checked(options.method, explainer, {}, maps=bad)
        trusted = check.checked(options.method, explainer, {}, maps=good)
        counts["random_flagged"] += flagged.flagged
        counts["good_flagged"] += trusted.flagged
        least["over_moved"].append(round(trusted.over_moved, 1))
        least["over_edges"].append(round(trusted.over_edges, 1))
        print(trial, flagged.over_moved, flagged.over_edges, trusted.over_moved, trusted.over_edges, flush=True)
    print(json.dumps({"method": options.method, "trials": options.trials, "images": options.images, **counts}))


if __name__ == "__main__":
    main()
