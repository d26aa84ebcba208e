"""How fast zoo-recsys is, beside bare arithmetic: `python speed.py epoch|ranking|reading FOLDER [USERS [ITEMS]]`.

`ranking FOLDER 100000 1000` is 100,000 users at small size: seconds, with the first users of each part looked up anew.
"""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from zoo_recsys.history import histories
from zoo_recsys.modality import read_source
from zoo_recsys.options import InteractionOptions
from zoo_recsys.predictor import Recommend
from zoo_recsys.rows import held_out
from zoo_recsys.vocabulary import make_vocabulary

import zoo

MOMENTS: list[float] = []


class Clock:
    """A tracker that notes when each step was logged."""

    def start(self, folder: Path, resolved: Any, step: int) -> None:
        MOMENTS.clear()

    def log(self, event: str, step: int, figures: Any) -> None:
        if event == "train":
            MOMENTS.append(time.perf_counter())

    def picture(self, path: Path, step: int) -> None:
        pass

    def close(self) -> None:
        pass


def table(path: Path, rows: int, users: int, items: int) -> Path:
    """Write a table whose items are as unequally popular as they are."""
    if not path.exists():
        random = np.random.default_rng(0)
        import pyarrow as pa
        from pyarrow import csv

        columns = {
            "user": random.integers(users, size=rows, dtype=np.int32),
            "item": (items * random.random(rows) ** 2).astype(np.int32),
            "rating": random.integers(1, 6, rows, dtype=np.int8),
            "timestamp": random.integers(10**9, 2 * 10**9, rows),
        }
        csv.write_csv(pa.table(columns), path)
    return path


def epoch(folder: Path) -> None:
    """An epoch of Mult-VAE and of SASRec, and a plain loop over the same arithmetic, in turns."""
    data = table(folder / "small.csv", 200_000, 3_000, 3_000)
    read = read_source(zoo.DataSource(name=str(data), options=InteractionOptions()))
    tested = held_out(read.rows, InteractionOptions(), 0.25, 42, "table")
    training = read.rows.take(~tested).histories()
    size, count = 300, 3_000
    cases: dict[
        str, tuple[dict[str, Any], dict[str, Any], Callable[[Any, torch.Tensor, torch.Tensor], torch.Tensor]]
    ] = {
        "mult_vae": ({}, {}, lambda model, items, _: vae_loss(model, histories(items, count))),
        "sasrec": (
            {"max_items": 50},
            {"negatives": 64},
            lambda model, items, lengths: next_loss(model, items, lengths),
        ),
    }
    for name, (arguments, settings, loss) in cases.items():
        longest = 51 if name == "sasrec" else None
        best = {"zoo": float("inf"), "plain": float("inf")}
        for turn in range(2):
            zoo.pretrain(
                name,
                data=str(data),
                out=folder / f"{name}-{turn}",
                force=True,
                arguments=arguments,
                settings={"steps": 18, "batch_size": size, "evaluations": 1, **settings},
                track=("speed:Clock",),
            )
            best["zoo"] = min(best["zoo"], *np.diff(MOMENTS)[2:].tolist())
            best["plain"] = min(best["plain"], *plain(name, arguments, training, size, count, longest, loss))
        ours, bare = best["zoo"], best["plain"]
        print(f"{name}: a step of zoo {ours:.3f} s, of a plain loop {bare:.3f} s, ratio {bare / ours:.3f}")


def plain(
    name: str, arguments: Any, training: zoo.Ragged, size: int, count: int, longest: int | None, loss: Any
) -> list[float]:
    model: Any = zoo.create(name, items=count, **arguments).train()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
    times = []
    order = np.random.default_rng(0).permutation(len(training))
    if longest:
        rows = [training.values[training.starts[p] : training.starts[p + 1]][-longest:] for p in range(len(training))]
        training = zoo.Ragged.of(rows, np.int64)
    for step in range(18):
        start = time.perf_counter()
        items, lengths = map(torch.from_numpy, training.padded(order[step % 9 * size : (step % 9 + 1) * size], count))
        value = loss(model, items, lengths)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        times.append(time.perf_counter() - start)
    return times[2:]


def vae_loss(model: Any, history: torch.Tensor) -> torch.Tensor:
    mean, log_variance = model.encode(history)
    logits = model.decoder(mean + torch.randn_like(mean) * (log_variance / 2).exp())
    divergence = (mean**2 + log_variance.exp() - log_variance - 1).sum(1) / 2
    return 0.2 * divergence.mean() - (logits.log_softmax(1) * history).sum(1).mean()


def next_loss(model: Any, items: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    count = model.items
    inside = torch.arange(items.shape[1] - 1) < (lengths - 1)[:, None]
    targets = items[:, 1:].clamp(max=count - 1)
    drawn = torch.randint(count, (len(items), 64))
    strange = histories(items, count).gather(1, drawn) == 0
    features = model.forward_features(items[:, :-1].clamp(max=count - 1), inside.long())
    positive = (features * model.item_vectors(targets)).sum(2) + model.item_bias[targets]
    negative = features @ model.item_vectors(drawn).transpose(1, 2) + model.item_bias[drawn][:, None]
    losses = F.softplus(-positive) * 0.27 + (F.softplus(negative) * strange[:, None]).sum(2)
    return (losses * inside).sum() / inside.sum()


def ranking(folder: Path, users: int = 100_000, items: int = 100_000) -> None:
    """The first 10 of all items for all users, and the matrix products and topk alone, in turns."""
    random = np.random.default_rng(0)
    starts = np.arange(users + 1) * 50
    training = zoo.Ragged(random.integers(items, size=users * 50), starts)
    model: Any = zoo.create("bpr_mf", items=items, users=users, width=64)
    names = [str(number) for number in range(max(items, users))]
    known = make_vocabulary(
        names[:items], {}, np.zeros(items), form="bag", max_items=200, users=names[:users], training=training
    )
    description: Any = None
    spec: Any = None
    predict = Recommend(zoo.Loaded(model=model, spec=spec, description=description, folder=folder))
    predict._vocabulary = known
    ours = bare = 0.0
    size = 671
    for start in range(0, users, size):
        stop = min(start + size, users)
        part = zoo.Ragged(training.values[start * 50 : stop * 50], starts[: stop - start + 1])
        begun = time.perf_counter()
        _, best = predict.best(part, np.arange(start, stop), 10, False)
        between = time.perf_counter()
        with torch.inference_mode():
            their, mine = model.vectors()
            (their[start:stop] @ mine.T).topk(10)
        ours, bare = ours + between - begun, bare + time.perf_counter() - between
        scores = their[start : start + 3].clone() @ mine.T.clone()
        for row, expected in enumerate(scores):
            expected[torch.from_numpy(part.values[row * 50 : row * 50 + 50])] = -torch.inf
            assert torch.equal(expected.topk(10).indices, best[row]), f"user {start + row}"
    print(f"{users:,} users x {items:,} items: {ours:.1f} s, products and topk {bare:.1f} s, ratio {ours / bare:.3f}")


def reading(folder: Path) -> None:
    """20 million rows: read, sorted, without what is there twice, and split."""
    data = table(folder / "twenty.csv", 20_000_000, 140_000, 27_000)
    begun = time.perf_counter()
    found = read_source(zoo.DataSource(name=str(data), options=InteractionOptions()))
    tested = held_out(found.rows, InteractionOptions(), 0.25, 42, "table")
    took, peak = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(found.rows):,} rows kept, {int(tested.sum()):,} to test on: {took:.1f} s, {peak:.2f} GB at most")


if __name__ == "__main__":
    import speed  # the tracker is found by this name, and notes its moments there

    place = Path(sys.argv[2])
    place.mkdir(parents=True, exist_ok=True)
    getattr(speed, sys.argv[1])(place, *map(int, sys.argv[3:]))
