"""What is said to come next can be typed: a task that the model can be finetuned for, or none."""

from pathlib import Path
from typing import Any

import pytest

import zoo
from tests.tiny import CODE
from zoo.commands.following import after_pretraining
from zoo.registry.registry import default_registry
from zoo.training.result import RunResult

TASK = """
@zoo.hookimpl
def zoo_tasks():
    yield zoo.TaskSpec(name="tiny-counting", summary="Count", recipe="counting", score="error")

@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="counting", stage="finetune", summary="Count", target="zoo_tiny:Counting",
                         settings="zoo_tiny:Settings", task="tiny-counting", score="error"{requires})
"""


def said(site: Any, code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_tiny")
    site.install("zoo-tiny", code)
    default_registry.cache_clear()
    zoo.save(zoo.create("tiny"), folder / "run")
    result = RunResult(Path("run"), folder / "run", {}, (), 1.0)
    return [line for line in after_pretraining(result, "tiny") if "finetune" in line]


def test_the_task_of_the_models_own_plugin(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = CODE.replace('task="image-classification"', 'task="other"') + TASK.format(requires="")
    assert said(site, code, tmp_path, monkeypatch) == [
        "zoo finetune run --task tiny-counting --data DATA --out run-classifier"
    ]


def test_a_task_of_the_plugin_that_the_model_cannot_learn(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = CODE.replace('task="image-classification"', 'task="other"') + TASK.format(requires=', requires=("sample",)')
    assert said(site, code, tmp_path, monkeypatch) == [
        "zoo finetune run --task image-classification --data DATA --out run-classifier"
    ]


def test_no_task_at_all(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = CODE.replace('task="image-classification"', 'task="other", capabilities=()')
    assert said(site, code, tmp_path, monkeypatch) == []
