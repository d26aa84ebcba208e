"""What a stranger's explainer says is asked of a loaded model, as `model.explain`."""

from typing import Any

import numpy as np
import pytest

import zoo
from zoo.errors import NotFoundError, PluginError, UsageError
from zoo.training.result import RunResult


def test_a_model_is_explained_by_what_is_offered_for_its_data(run: RunResult) -> None:
    explain: Any = zoo.load(run.folder).explain
    assert explain.methods == ("loudness",) == tuple(explain.fitting())
    assert explain([np.full(4, 0.5)]) == [{"target": "sawtooth", "loudness": 0.5}]
    assert explain([np.full(4, 0.5)], method="loudness", target="square")[0]["target"] == "square"
    with pytest.raises(UsageError, match="no class 'noise'; choose of sawtooth, sine, square"):
        explain([np.zeros(4)], target="noise")
    with pytest.raises(NotFoundError, match="no method 'heat' explains these weights; choose of loudness"):
        explain([np.zeros(4)], method="heat")
    with pytest.raises(UsageError, match="batch_size is 0; give 1 or more"):
        explain([np.zeros(4)], batch_size=0)


def test_a_model_that_no_method_fits_says_why(run: RunResult, tmp_path: Any) -> None:
    first: Any = zoo.load(tmp_path / "first")
    assert first.explain.fitting() == []
    with pytest.raises(UsageError, match="features are not loud; finetune them first"):
        first.explain([np.zeros(4)])


def test_a_changed_model_explains_nothing(run: RunResult) -> None:
    assert not hasattr(zoo.load(run.folder, num_classes=2), "explain")


def test_what_is_no_explainer_names_its_plugin(run: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_extras_more  # type: ignore[import-not-found]

    monkeypatch.setattr(zoo_extras_more, "Loudness", lambda loaded: object())
    with pytest.raises(PluginError, match="explainer 'loudness' of zoo-extras made a object, no zoo.Explainer"):
        zoo.load(run.folder).explain([np.zeros(4)])
