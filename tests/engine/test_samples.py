"""What is drawn comes from all over the split: files of a class lie together."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from zoo.engine.samples import spread_rows, spread_samples


@given(st.lists(st.integers(1, 7), min_size=1, max_size=5), st.integers(1, 20))
def test_samples_are_those_of_their_places(sizes: list[int], count: int) -> None:
    values = torch.arange(sum(sizes))
    batches = [{"images": part.float(), "labels": part} for part in values.split(sizes)]
    found, places = spread_samples(batches, count)
    assert found["labels"].tolist() == places.tolist() == found["images"].tolist()
    assert len(places) == min(count, sum(sizes)) == len(set(places.tolist()))
    assert places.tolist() == sorted(places.tolist())


def test_every_class_of_a_sorted_split_is_among_them() -> None:
    labels = torch.arange(10).repeat_interleave(100)
    found, _ = spread_samples([{"labels": part} for part in labels.split(256)], 32)
    assert set(found["labels"].tolist()) == set(range(10))


def test_rows_are_told_by_batch_where_batches_have_other_lengths() -> None:
    batches = [{"waves": torch.zeros(3, 5)}, {"waves": torch.zeros(1, 9)}, {"waves": torch.zeros(4, 2)}]
    rows, places = spread_rows(batches, 4)
    assert [some.tolist() for some in rows] == [[0, 2], [], [0, 3]]
    assert places.tolist() == [0, 2, 4, 7]
