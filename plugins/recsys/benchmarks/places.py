"""Why SASRec is bad at rows held out at random: `python places.py RUN FOLDER`, RUN of ml_100k.py's case `sasrec`.

It tells what follows the last item; rows held out at random lie between others. Printed are how many come after all
that was learnt of their user, and the NDCG of the same weights by the last place alone, and by the mean of what they
expect after each item of a history.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from zoo_recsys.metrics import user_metrics
from zoo_recsys.modality import read_source
from zoo_recsys.options import InteractionOptions
from zoo_recsys.rows import behind, held_out

import zoo


def main(run: Path, folder: Path) -> None:
    model: Any = zoo.load(run)
    vocabulary = model.predict.vocabulary
    options = InteractionOptions()
    rows = read_source(zoo.DataSource(name="ml_100k", folder=folder, options=options)).rows
    tested = held_out(rows, options, options.test_share, options.split_seed, "ml_100k")
    print(f"{int(behind(rows, tested).sum()):,} of {int(tested.sum()):,} held-out rows come after all that was learnt")
    numbers = np.array([vocabulary.numbers.get(name, -1) for name in rows.item_names])[rows.items]
    found: dict[str, list[float]] = {"the last place": [], "the mean of all places": []}
    for user in range(len(rows.user_names)):
        mine = rows.users == user
        history = torch.from_numpy(numbers[mine & ~tested])
        held = torch.from_numpy(numbers[mine & tested])
        if not len(held):
            continue
        with torch.inference_mode():
            parts = [
                model.lm_logits(model.forward_features(part[None]))[0] for part in history.split(vocabulary.max_items)
            ]
            last = model.item_scores(history[None, -vocabulary.max_items :])[0]
            for name, scores in zip(found, (last, torch.cat(parts).softmax(1).mean(0)), strict=True):
                best = scores.index_fill(0, history, -torch.inf).topk(10).indices
                hits = torch.isin(best, held)[None]
                found[name].append(float(user_metrics(hits, torch.tensor([len(held)]))["ndcg"]))
    for name, values in found.items():
        print(f"by {name}: NDCG {np.mean(values):.4f}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
