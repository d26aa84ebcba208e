"""Data sets of arrays: what a kind of data gets that has neither images nor tokens."""

from typing import Any

import numpy as np
import pytest
import torch

import zoo
from zoo.data.drawing import draw_held_out


def split(count: int, **columns: Any) -> zoo.ArraySplit:
    return zoo.ArraySplit({"values": np.arange(count, dtype=np.float32), **columns})


def labelled(count: int = 12, classes: int = 3) -> zoo.ArrayDataset:
    parts = {"train": count, "test": 6}
    splits = {name: split(size, labels=np.arange(size) % classes) for name, size in parts.items()}
    return zoo.ArrayDataset(name="few", source="few", splits=splits, classes=tuple("abc"[:classes]))


def test_keeps_the_protocol() -> None:
    assert isinstance(labelled(), zoo.Dataset) and labelled().labelled


def test_batches_hold_every_column_and_the_places() -> None:
    rows = zoo.Ragged.of([[1, 2], [3], [4, 5, 6]], np.uint16)
    part = zoo.ArraySplit(
        {"rows": rows, "labels": np.array([0, 1, 0])}, collate=lambda batch: {**batch, "more": batch["rows"] * 2}
    )
    options: Any = {"batch_size": 2, "seed": 0, "shuffle": False, "drop_last": False}
    first, second = part.batches(device=torch.device("cpu"), **options).epoch(0)
    assert first["rows"].tolist() == [[1, 2], [3, 0]] and first["rows_lengths"].tolist() == [2, 1]
    assert first["more"].tolist() == [[2, 4], [6, 0]] and second["index"].tolist() == [2]
    assert part.take(np.array([2, 0])).columns["rows"].padded(np.array([0, 1]), 9)[0].tolist() == [[4, 5, 6], [1, 2, 9]]


def test_the_fingerprint_is_of_all_contents() -> None:
    prints = {labelled().fingerprint, labelled(13).fingerprint, labelled(classes=2).fingerprint}
    assert len(prints) == 3 and labelled().fingerprint in prints
    ragged = [
        zoo.ArrayDataset(
            name="x",
            source="x",
            splits=dict.fromkeys(("train", "test"), zoo.ArraySplit({"x": zoo.Ragged.of(rows, np.uint8)})),
        ).fingerprint
        for rows in ([[1], [2, 3]], [[1, 2], [3]])
    ]
    assert len(set(ragged)) == 2


def test_a_subset_is_even_over_classes_and_other_data() -> None:
    few = labelled().subset(6, seed=1)
    assert np.bincount(few.splits["train"].columns["labels"]).tolist() == [2, 2, 2]  # type: ignore[arg-type]
    assert few.fingerprint != labelled().fingerprint and len(few.splits["test"]) == 6
    with pytest.raises(zoo.UsageError, match="fewer than one for each"):
        labelled().subset(2, seed=1)


def test_what_is_held_out_is_taken_away_from_training() -> None:
    parts = labelled().hold_out(0.25, seed=0).splits
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [9, 3, 6]
    values = np.concatenate([parts[name].columns["values"] for name in ("train", "validation")])  # type: ignore[arg-type]
    assert sorted(values) == list(range(12))


def test_what_a_task_learns_from_is_a_column() -> None:
    labelled().check("labels")
    labelled().check("values")
    with pytest.raises(zoo.DataError, match="few has no ranks; give data that have"):
        labelled().check("ranks")
    with pytest.raises(zoo.DataError, match=r"only one class \(a\)"):
        labelled(classes=1).check("labels")


@pytest.mark.parametrize("splits", [{"train": split(3)}, {"test": split(3)}, {"train": split(3), "test": split(0)}])
def test_there_is_something_to_train_and_to_test_on(splits: Any) -> None:
    with pytest.raises(zoo.DataError, match="few has nothing to (train|test) on"):
        zoo.ArrayDataset(name="few", source="few", splits=splits)


@pytest.mark.parametrize("seed", range(20))
def test_the_only_row_of_a_class_is_not_held_out(seed: int) -> None:
    single = np.array([0, 1, 2, 2, 2, 2, 2, 2])
    several = np.eye(3, dtype=np.int64)[single]
    for labels in (single, several):
        stays, held = draw_held_out(8, 0.5, seed, labels)
        assert sorted([*stays, *held]) == list(range(8))
        assert {0, 1} <= set(stays) and 2 in single[stays] and len(held) == 4


def test_nothing_is_held_out_where_every_row_is_the_only_one_of_its_class() -> None:
    with pytest.raises(zoo.UsageError, match="leaves classes without any to learn"):
        draw_held_out(3, 0.5, 0, np.arange(3))
