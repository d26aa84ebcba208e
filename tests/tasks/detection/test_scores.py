"""Average precision as pycocotools counts it."""

import numpy as np
import pytest

from zoo.tasks.detection.scores import AveragePrecision

pytest.importorskip("pycocotools")
NOTHING = np.zeros((0, 6), np.float32)
SIZE = (100, 100)


def rows(*values: tuple[float, ...]) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 6)


def test_all_found_is_one_and_nothing_found_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    right = AveragePrecision(("cat", "dog"), most_boxes=10)
    right.add(rows((0, 0, 10, 10, 0, 0.9)), rows((0, 0, 10, 10, 0, 0)), SIZE)
    assert right.scores() == pytest.approx({"ap": 1, "ap50": 1, "ap75": 1, "ap50/cat": 1})
    wrong = AveragePrecision(("cat", "dog"), most_boxes=10)
    wrong.add(NOTHING, rows((0, 0, 10, 10, 0, 0)), SIZE)
    assert wrong.scores() == pytest.approx({"ap": 0, "ap50": 0, "ap75": 0, "ap50/cat": 0})
    assert capsys.readouterr().out == "", "pycocotools prints, zoo does not"


def test_a_loose_box_counts_at_50_and_not_at_75() -> None:
    scores = AveragePrecision(("cat",), most_boxes=10)
    scores.add(rows((0, 0, 10, 6, 0, 0.9)), rows((0, 0, 10, 10, 0, 0)), SIZE)  # IoU 0.6
    found = scores.scores()
    assert (found["ap50"], found["ap75"]) == pytest.approx((1, 0))
    assert found["ap"] == pytest.approx(0.3)  # right at 0.50, 0.55 and 0.60 of ten


def test_one_right_after_one_wrong_is_half() -> None:
    scores = AveragePrecision(("cat",), most_boxes=10)
    scores.add(rows((50, 50, 60, 60, 0, 0.9), (0, 0, 10, 10, 0, 0.8)), rows((0, 0, 10, 10, 0, 0)), SIZE)
    assert scores.scores()["ap50"] == pytest.approx(0.5)
    assert scores.curves()["cat"] == pytest.approx(np.full(101, 0.5))


def test_classes_are_averaged_and_absent_ones_left_out() -> None:
    scores = AveragePrecision(("cat", "dog", "cow"), most_boxes=10)
    scores.add(rows((0, 0, 10, 10, 0, 0.9)), rows((0, 0, 10, 10, 0, 0), (30, 30, 50, 50, 1, 0)), SIZE)
    scores.add(rows((0, 0, 9, 9, 2, 0.9)), rows(), SIZE)
    found = scores.scores()
    assert found["ap50"] == pytest.approx(0.5)
    assert {name for name in found if "/" in name} == {"ap50/cat", "ap50/dog"}
    assert set(scores.curves()) == {"cat", "dog"}


def test_what_is_found_in_a_crowd_is_neither_right_nor_wrong() -> None:
    crowd = (0, 0, 60, 60, 0, 1)
    scores = AveragePrecision(("person",), most_boxes=10)
    found = rows((5, 5, 20, 20, 0, 0.99), (30, 30, 50, 50, 0, 0.98), (70, 70, 90, 90, 0, 0.5))
    scores.add(found, rows(crowd, (70, 70, 90, 90, 0, 0)), SIZE)
    assert scores.scores()["ap50"] == pytest.approx(1)
    strict = AveragePrecision(("person",), most_boxes=10)
    strict.add(found, rows((70, 70, 90, 90, 0, 0)), SIZE)
    assert strict.scores()["ap50"] == pytest.approx(1 / 3)


def test_no_boxes_at_all() -> None:
    scores = AveragePrecision(("cat",), most_boxes=10)
    scores.add(NOTHING, NOTHING, SIZE)
    assert scores.scores() == {"ap": 0.0, "ap50": 0.0, "ap75": 0.0}
