"""Every sample is told by classifiers that have not seen it; what cannot be compared is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zoo_choose.probing import folds_of, probe

import zoo


@given(st.lists(st.integers(0, 4), min_size=20, max_size=200), st.integers(0, 100))
def test_folds_spread_every_class(labels: list[int], seed: int) -> None:
    known = np.array(labels)
    if len(set(labels)) < 2:
        return
    folds = folds_of(known, seed)
    assert sorted(place for _, told in folds for place in told) == list(range(len(labels)))
    for label in set(labels):
        sizes = [(known[told] == label).sum() for _, told in folds]
        assert max(sizes) - min(sizes) <= 1


def test_noise_is_not_told_better_than_by_chance() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 400)
    found = probe([random.standard_normal((400, 200))], labels, folds_of(labels, 0))
    assert abs(found.score - 50) < 10  # with its own samples a classifier of 200 numbers would tell nearly all


def test_depths_are_averaged() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    depths = [random.standard_normal((300, 6)) + 1.2 * np.eye(6)[labels] for _ in range(2)]
    folds = folds_of(labels, 0)
    alone = [probe([vectors], labels, folds) for vectors in depths]
    both = probe(depths, labels, folds)
    assert np.allclose(both.probabilities, np.mean([item.probabilities for item in alone], axis=0))
    assert both.score > max(item.score for item in alone)
    assert [list(right) for right in both.by_depth] == [list(item.right) for item in alone]


def test_several_labels_a_sample() -> None:
    random = np.random.default_rng(0)
    labels = (random.random((200, 3)) < 0.4).astype("f8")
    labels[:, 2] = 0  # nobody has it
    found = probe([labels + 0.3 * random.standard_normal((200, 3))], labels, folds_of(labels, 0))
    assert found.probabilities.shape == (200, 3)
    assert found.score > 90


def test_a_class_with_one_sample_is_told_wrong_and_no_error() -> None:
    labels = np.array([0] * 10 + [1] * 10 + [2])
    vectors = np.eye(3)[labels] + 0.01 * np.random.default_rng(0).standard_normal((21, 3))
    found = probe([vectors], labels, folds_of(labels, 0))
    assert found.right[-1] == 0
    assert found.right[:20].all()


@pytest.mark.parametrize(
    ("labels", "said"), [([1, 1, 1], "all samples are of one class"), ([0, 1], "too few to compare")]
)
def test_labels_that_tell_nothing_are_refused(labels: list[int], said: str) -> None:
    with pytest.raises(zoo.DataError, match=said):
        folds_of(np.array(labels), 0)


def test_features_that_are_not_finite_are_refused() -> None:
    labels = np.arange(20) % 2
    vectors = np.ones((20, 3))
    vectors[4, 1] = np.nan
    with pytest.raises(zoo.DataError, match="not finite"):
        probe([vectors], labels, folds_of(labels, 0))
