"""H-score and LogME equal their authors' code, N-LEEP what its formula says."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from zoo_choose.transferability import h_score, log_me, n_leep

# LogME.py of thuml/LogME and tllib/ranking/hscore.py of thuml/Transfer-Learning-Library, on the features below:
# (samples, width, classes), LogME of classes, regularized H-score, LogME of two random targets
REFERENCE = [
    ((200, 16, 4), -0.4533543517204457, 1.326858861346187, -1.3425310346532005),
    ((60, 100, 3), 1.9890709052368074, 1.4676912341548929, 1.1887760871274389),
    ((500, 64, 10), 0.04038883667179416, 4.147489514839286, -1.4405010488926568),
    ((40, 40, 2), -0.3695629106408569, 0.8077936040765274, -1.2631455177691953),
]


def sample(seed: int, count: int, width: int, classes: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    labels[:classes] = np.arange(classes)
    features = random.standard_normal((count, width)) + 0.5 * random.standard_normal((classes, width))[labels]
    return features, labels, random.standard_normal((count, 2))


@pytest.mark.parametrize(("seed", "row"), list(enumerate(REFERENCE)))
def test_scores_equal_their_authors(seed: int, row: Any) -> None:
    (count, width, classes), evidence, h, regression = row
    features, labels, targets = sample(seed, count, width, classes)
    assert log_me(features, labels) == pytest.approx(evidence, abs=1e-9)
    assert h_score(features, labels) == pytest.approx(h, abs=1e-9)
    assert log_me(features, targets) == pytest.approx(regression, abs=1e-9)


def test_names_of_classes_do_not_matter() -> None:
    features, labels, _ = sample(0, 200, 16, 4)
    renamed = np.array([7, 3, 11, 100])[labels]
    assert log_me(features, renamed) == pytest.approx(log_me(features, labels))
    assert h_score(features, renamed) == pytest.approx(h_score(features, labels))
    assert n_leep(features, renamed) == pytest.approx(n_leep(features, labels))


def test_features_that_separate_score_higher() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 300)
    noise = random.standard_normal((300, 8))
    told = noise + 4 * np.eye(8)[labels]
    for score in (h_score, log_me, n_leep):
        assert score(told, labels) > score(noise, labels)


def test_n_leep_of_clusters_that_are_classes_is_nearly_zero() -> None:
    random = np.random.default_rng(0)
    labels = np.arange(90) % 3
    features = 50 * np.eye(3)[labels] + 0.1 * random.standard_normal((90, 3))
    assert -1e-3 < n_leep(features, labels) <= 0
