"""Average precision as pycocotools and the devkit of Pascal VOC count it."""

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
    assert right.scores() == pytest.approx({"ap": 1, "ap50": 1, "ap75": 1, "ap50_voc": 1, "ap50/cat": 1})
    wrong = AveragePrecision(("cat", "dog"), most_boxes=10)
    wrong.add(NOTHING, rows((0, 0, 10, 10, 0, 0)), SIZE)
    assert wrong.scores() == pytest.approx({"ap": 0, "ap50": 0, "ap75": 0, "ap50_voc": 0, "ap50/cat": 0})
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


def test_what_lies_in_something_difficult_is_wrong_unless_it_fits() -> None:
    difficult, plain = (0, 0, 60, 60, 0, 2), (70, 70, 90, 90, 0, 0)
    inside = AveragePrecision(("person",), most_boxes=10)
    inside.add(rows((5, 5, 20, 20, 0, 0.99), (70, 70, 90, 90, 0, 0.5)), rows(difficult, plain), SIZE)
    scores = inside.scores()
    assert (scores["ap50"], scores["ap50_voc"]) == pytest.approx((0.5, 0.5))
    fitting = AveragePrecision(("person",), most_boxes=10)
    fitting.add(rows((0, 0, 60, 50, 0, 0.99), (70, 70, 90, 90, 0, 0.5)), rows(difficult, plain), SIZE)
    scores = fitting.scores()
    assert (scores["ap50"], scores["ap50_voc"]) == pytest.approx((1, 1))


def devkit(pictures: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Score the one class 0 as VOCevaldet.m and VOCap.m of the devkit of 2012 do, line by line, in pixels from 1."""
    detections = sorted(
        (-row[5], place, tuple(row[:2] + 1) + tuple(row[2:4]))
        for place, (found, _) in enumerate(pictures)
        for row in found.astype(float)
    )
    gt = [[(tuple(row[:2] + 1) + tuple(row[2:4]), row[5] > 0) for row in truth.astype(float)] for _, truth in pictures]
    det = [[False] * len(boxes) for boxes in gt]
    npos = sum(not difficult for boxes in gt for _, difficult in boxes)
    tp, fp = np.zeros(len(detections)), np.zeros(len(detections))
    for d, (_, i, bb) in enumerate(detections):
        ovmax, jmax = -np.inf, -1
        for j, (bbgt, _) in enumerate(gt[i]):
            bi = max(bb[0], bbgt[0]), max(bb[1], bbgt[1]), min(bb[2], bbgt[2]), min(bb[3], bbgt[3])
            iw, ih = bi[2] - bi[0] + 1, bi[3] - bi[1] + 1
            if iw > 0 and ih > 0:
                ua = (bb[2] - bb[0] + 1) * (bb[3] - bb[1] + 1)
                ua += (bbgt[2] - bbgt[0] + 1) * (bbgt[3] - bbgt[1] + 1) - iw * ih
                if iw * ih / ua > ovmax:
                    ovmax, jmax = iw * ih / ua, j
        if ovmax >= 0.5:
            if not gt[i][jmax][1]:
                (fp if det[i][jmax] else tp)[d] = 1
                det[i][jmax] = True
        else:
            fp[d] = 1
    rec, prec = tp.cumsum() / npos, tp.cumsum() / (fp.cumsum() + tp.cumsum()).clip(min=1)
    mrec, mpre = np.concatenate([[0], rec, [1]]), np.concatenate([[0], prec, [0]])
    for i in range(len(mpre) - 2, -1, -1):
        mpre[i] = max(mpre[i], mpre[i + 1])
    steps = np.nonzero(mrec[1:] != mrec[:-1])[0] + 1
    return float(((mrec[steps] - mrec[steps - 1]) * mpre[steps]).sum())


def test_ap50_voc_is_that_of_the_devkit() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        scores, pictures = AveragePrecision(("cat",), most_boxes=100), []
        for _ in range(6):
            corners = random.integers(0, 60, (8, 2))
            truth = np.hstack([corners, corners + random.integers(8, 40, (8, 2)), np.zeros((8, 2))])
            truth[:, 5] = 2 * (random.random(8) < 0.3)
            found = np.vstack([truth, truth[:5]])
            found[:, :4] += random.integers(-4, 5, (13, 4))
            found[:, 5] = random.permutation(13) / 13 + 0.01 * random.random()
            pictures.append((found.astype(np.float32), truth.astype(np.float32)))
            scores.add(*pictures[-1], SIZE)
        assert scores.scores()["ap50_voc"] == pytest.approx(devkit(pictures), abs=1e-12)


def test_no_boxes_at_all() -> None:
    scores = AveragePrecision(("cat",), most_boxes=10)
    scores.add(NOTHING, NOTHING, SIZE)
    assert scores.scores() == {"ap": 0.0, "ap50": 0.0, "ap75": 0.0, "ap50_voc": 0.0}
