"""What strangers bring by hooks: trackers, methods, layouts, modalities."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo
from tests.hooks.conftest import same
from zoo.errors import NotFoundError, PluginError, UsageError
from zoo.training.result import RunResult


def test_everything_is_named(extras: Any, zoo_command: Any) -> None:
    (line,) = [line for line in zoo_command("plugins").stdout.splitlines() if line.startswith("zoo-extras ")]
    few = "abilities guess, predict, draw, write; explainer loudness; tracker diary"
    assert line.split(maxsplit=2)[2] == f"formats npz, arrays; layout author; method biases; {few}"


def test_an_ability_is_bound_to_weights_that_have_it(run: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_extras_more

    model: Any = zoo.load(run.folder)
    assert model.guess(1) == "sine"
    assert not isinstance(model.predict, zoo_extras_more.Guess)
    assert not hasattr(model, "draw") and not hasattr(model, "write")
    monkeypatch.setattr(zoo_extras_more, "Guess", lambda loaded: 1 / 0)
    with pytest.raises(PluginError, match="ability 'guess' of zoo-extras 1.0 failed: ZeroDivisionError"):
        zoo.load(run.folder)


def test_a_tracker_goes_by_its_name(extras: Any, tmp_path: Path) -> None:
    import zoo_extras_more  # type: ignore[import-not-found]

    zoo.pretrain("tone_net", data="tones", out=tmp_path / "run", settings={"steps": 2}, track=("diary",))
    assert zoo_extras_more.Diary.events[0] == "start" and zoo_extras_more.Diary.events[-1] == "close"
    assert {"train", "test", "curves.png"} <= set(zoo_extras_more.Diary.events)
    with pytest.raises(UsageError, match="no tracker 'dairy'; did you mean diary"):
        zoo.pretrain("tone_net", data="tones", out=tmp_path / "other", track=("dairy",))


def test_a_method_of_finetuning_goes_by_its_name(run: RunResult, tmp_path: Path, zoo_command: Any) -> None:
    again = zoo.finetune(
        run.folder,
        task="tone-classification",
        data="tones",
        out=tmp_path / "biases",
        method="biases",
        settings={"steps": 3},
    )
    before, after = (load_file(folder / "model.safetensors") for folder in (run.weights, again.weights))
    learnt = {name for name in before if not torch.equal(before[name], after[name])}
    assert learnt == {"stem.bias", "block.bias", "head.weight", "head.bias"}
    assert "biases" in zoo_command("finetune", "--help").stdout
    with pytest.raises(NotFoundError, match="no method named 'biasses'; did you mean biases"):
        zoo.finetune(run.folder, task="tone-classification", data="tones", out=tmp_path / "none", method="biasses")


def test_a_layout_is_of_a_model_of_another_plugin(run: RunResult, authors: Path) -> None:
    model = zoo.load(authors)
    assert same(model, zoo.load(run.folder))
    described = zoo.describe(authors)
    assert (described.plugin, described.labels) == ("zoo-tones", ("sawtooth", "sine", "square"))
    assert described.inputs == zoo.describe(run.folder).inputs
    assert described.task == "tone-classification" and model.predict.columns == ("label", "score")


def test_a_modality_that_breaks_is_named(extras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoo_tones.modality  # type: ignore[import-not-found]

    monkeypatch.setattr(zoo_tones.modality.modality, "open", lambda *arguments: 1 / 0, raising=False)
    with pytest.raises(PluginError, match="modality 'tone' of zoo-tones 1.0 failed: ZeroDivisionError"):
        zoo.pretrain("tone_net", data="tones", out=tmp_path / "run")
    monkeypatch.setattr(zoo_tones.modality.modality, "open", lambda *arguments: ([], {}), raising=False)
    with pytest.raises(PluginError, match="opened 'tones' as a list with dict, no zoo.Dataset"):
        zoo.pretrain("tone_net", data="tones", out=tmp_path / "run")


def test_inputs_that_config_json_cannot_keep_are_named_before_training(
    extras: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo_tones.sound import Sound  # type: ignore[import-not-found]

    for record, said in (
        (Sound(rate=8000, samples=float("inf")), "cannot keep"),
        ({"rate": object()}, "cannot keep"),
        ({"rate": 8000, "samples": 400}, "give back as Sound"),
    ):
        monkeypatch.setattr(Sound, "record", lambda self, record=record: record)
        with pytest.raises(PluginError, match=f"modality 'tone' of zoo-tones records its inputs as .*{said}"):
            zoo.pretrain("tone_net", data="tones", out=tmp_path / "run")
        assert not (tmp_path / "run").exists()
