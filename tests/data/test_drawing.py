"""Held-out parts have the classes of what they are taken from."""

import numpy as np
import pytest

from zoo.data.drawing import draw_held_out, held_out_fingerprint
from zoo.errors import UsageError


@pytest.mark.parametrize("seed", range(20))
def test_every_class_stays_to_be_learnt_and_has_its_share(seed: int) -> None:
    labels = np.repeat(np.arange(10), 2)
    stays, held = draw_held_out(20, 0.2, seed, labels)
    assert len(held) == 4 and sorted([*stays, *held]) == list(range(20))
    assert set(labels[stays]) == set(range(10)), "of two, one stays"
    uneven = np.repeat(np.arange(4), (100, 50, 20, 10))
    _, held = draw_held_out(180, 0.2, seed, uneven)
    assert np.bincount(uneven[held]).tolist() == [20, 10, 4, 2], "train_test_split(stratify=…) of scikit-learn as well"


@pytest.mark.parametrize("seed", range(5))
def test_of_several_classes_each_stays_to_be_learnt(seed: int) -> None:
    classes = [[0], [0, 1], [0, 2], [0], [1, 2], [0], [0], [3]]
    rows = np.array([[int(place in some) for place in range(4)] for some in classes], np.uint8)
    for labels in (classes, rows):
        stays, held = draw_held_out(8, 0.25, seed, labels)
        assert len(held) == 2 and {name for place in stays for name in classes[place]} == {0, 1, 2, 3}


def test_a_share_that_no_class_can_spare_is_refused() -> None:
    with pytest.raises(UsageError, match="leaves classes without any to learn; choose a smaller share"):
        draw_held_out(10, 0.5, 0, np.arange(10) // 2 * 2 + np.array([0, 0, 0, 0, 0, 0, 0, 1, 0, 1]))


def test_values_are_drawn_as_ever_and_another_draw_is_another_fingerprint() -> None:
    values = np.linspace(0, 1, 12)
    plain, drawn = draw_held_out(12, 0.25, 3), draw_held_out(12, 0.25, 3, values)
    assert [part.tolist() for part in plain] == [part.tolist() for part in drawn]
    assert held_out_fingerprint("a", values) == held_out_fingerprint("a", None) == "a"
    assert held_out_fingerprint("a", np.arange(2)) != "a"
