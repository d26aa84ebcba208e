"""Sounds go the whole way: learnt, finetuned, heard, pushed, pulled, verified, reproduced, exported."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from PIL import Image

import zoo
from zoo.cli import group

FEW = {"epochs": 1, "batch_size": 8}


def run(*arguments: str) -> Any:
    """Run a command, and return what came of it."""
    return CliRunner().invoke(group, list(arguments), catch_exceptions=False)


@pytest.fixture(scope="module")
def trained(words: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("runs")
    first = zoo.pretrain("bc_resnet_1", data=str(words), out=folder / "first", settings=FEW, arguments={"segments": 4})
    second = zoo.finetune(
        first.folder,
        task="audio-classification",
        data=str(words),
        out=folder / "second",
        settings={"epochs": 30, "batch_size": 8, "learning_rate": 1e-2},
    )
    return folder, first, second


def test_learns(trained: Any, words: Path) -> None:
    _, first, second = trained
    assert first.scores["contrast"] > 0 and second.scores["accuracy"] > 80
    assert zoo.evaluate(second.folder, data=str(words)) == pytest.approx(second.scores)
    inputs = zoo.describe(second.folder).inputs
    assert inputs is not None and inputs.values.rate == 8000 and inputs.values.log_mel.mels == 40
    assert {path.name for path in (second.folder / "pictures").iterdir()} >= {"confusion.png", "examples.png"}
    with Image.open(second.folder / "pictures" / "examples.png") as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 100  # spectrograms are drawn


def test_predicts_files_and_samples_alike(trained: Any, words: Path, tmp_path: Path) -> None:
    model = zoo.load(trained[2].folder)
    path = words / "rise" / "0.wav"
    samples, rate = soundfile.read(path, dtype="float32")
    (heard,) = model.predict([str(path)])
    assert model.predict(samples, rate=rate) == [heard] and len(heard["predictions"]) == 3
    soundfile.write(tmp_path / "b.flac", np.stack([samples, samples], 1), rate)
    assert model.predict(tmp_path / "b.flac")[0]["predictions"][0]["label"] == heard["predictions"][0]["label"]
    with pytest.raises(zoo.UsageError, match="have no rate of their own"):
        model.predict(samples)


def test_examples_are_of_all_classes(
    trained: Any, words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clips lie class by class in a split; the first of them would show one class."""
    shown: list[str] = []

    def note(clips: Any, found: Any, true: list[str], out: Path) -> Path:
        shown.extend(true)
        assert len(clips) == len(found) == len(true)
        return out

    monkeypatch.setattr("zoo_speech.recipes.spectrogram_grid", note)
    monkeypatch.setattr("zoo_speech.recipes._SHOWN", 3)
    settings = {"epochs": 1, "batch_size": 4}
    zoo.finetune(
        trained[1].folder, task="audio-classification", data=str(words), out=tmp_path / "run", settings=settings
    )
    assert len(set(shown)) == 3


def test_files_without_a_head_have_the_rate_that_is_said(trained: Any, words: Path, tmp_path: Path) -> None:
    weights, path = str(trained[2].folder), words / "rise" / "0.wav"
    samples, rate = soundfile.read(path, dtype="int16")
    samples.tofile(tmp_path / "a.raw")
    typed = [
        json.loads(run("predict", weights, *rest, "--json").stdout)[0]["predictions"]
        for rest in (
            [str(path)],
            [str(tmp_path / "a.raw"), "--rate", str(rate)],
        )
    ]
    assert typed[0] == typed[1]
    with pytest.raises(zoo.UsageError, match="says its rate itself"):
        run("predict", weights, str(path), "--rate", "8000")
    with pytest.raises(zoo.UsageError, match="threshold says nothing to these weights"):
        run("predict", weights, str(path), "--threshold", "0.4")


def test_predicts_at_the_shell_and_draws(trained: Any, words: Path, tmp_path: Path) -> None:
    (tmp_path / "sounds" / "a").mkdir(parents=True)
    for name in ("a/x.wav", "x.wav"):
        (tmp_path / "sounds" / name).write_bytes((words / "fall" / "1.wav").read_bytes())
    (tmp_path / "sounds" / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(zoo.DataError, match="1 of 3 sounds were left out, first: .*broken.wav is no sound file"):
        run("predict", str(trained[2].folder), str(tmp_path / "sounds"), "--out", str(tmp_path / "out"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["x-2.png", "x.png"]


def test_embeds(trained: Any, words: Path) -> None:
    weights, paths = str(trained[1].folder), sorted((words / "rise").iterdir())[:3]
    vectors = zoo.load(weights).embed(paths, normalize=True, batch_size=2)
    assert vectors.shape == (3, 128) and torch.allclose(vectors.norm(dim=1), torch.ones(3))
    typed = json.loads(run("embed", weights, *map(str, paths), "--normalize").stdout)
    assert torch.allclose(torch.tensor([row["embedding"] for row in typed]), vectors, atol=1e-5)


def test_is_pushed_pulled_verified_and_reproduced(trained: Any, served_hub: Any, tmp_path: Path) -> None:
    second = trained[2]
    zoo.push(second.folder, "tester/words", hub=served_hub.url, private=False, license="Apache-2.0")
    there = zoo.load("hf://tester/words", hub=served_hub.url)
    inputs = torch.randn(2, 40, 30, generator=torch.Generator().manual_seed(0))
    assert torch.equal(zoo.load(second.folder)(inputs), there(inputs))
    verified = zoo.verify("hf://tester/words", hub=served_hub.url)
    assert verified.selftest is not None and verified.selftest.first_off is None
    card = (zoo.pull("hf://tester/words", hub=served_hub.url).folder / "README.md").read_text()
    assert "pipeline_tag: audio-classification" in card and "Input: log-mel spectrograms of sound at 8,000 Hz" in card
    again = zoo.reproduce(second.folder, out=tmp_path / "again")
    assert again.identical and not again.differs


def test_is_exported(trained: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    zoo.export(trained[2].folder, to="onnx", out=tmp_path / "graph.onnx")
    assert (tmp_path / "graph.onnx").stat().st_size


def test_a_speaker_is_held_out(sentences: Path, tmp_path: Path) -> None:
    first = zoo.pretrain("bc_resnet_1", data=str(sentences), out=tmp_path / "first", settings=FEW)
    second = zoo.finetune(
        first.folder,
        task="automatic-speech-recognition",
        data=str(sentences),
        out=tmp_path / "second",
        settings={"epochs": 60, "batch_size": 8, "learning_rate": 5e-3, "hidden": 32, "shift": 0.0},
        data_options={"held_out": "b"},
    )
    assert zoo.describe(second.folder).labels == (" ", "f", "r") and second.scores["wer"] < 100
    model, path = zoo.load(second.folder), sentences / "1.flac"
    (heard,) = model.predict(path)
    assert set(heard["text"]) <= set(" fr") and heard["text"].split() == [word["word"] for word in heard["words"]]
    assert model.predict(path, beams=8)[0]["text"]
    done = run("predict", str(second.folder), str(path), "--out", str(tmp_path / "out"), "--beams", "4")
    assert done.exit_code == 0, done.output
    written = {item.suffix for item in (tmp_path / "out").iterdir()}
    assert written == {".png", ".txt", ".srt", ".vtt"}
    assert (tmp_path / "out" / "1.vtt").read_text().startswith("WEBVTT\n")
    assert zoo.evaluate(second.folder, data=str(sentences), data_options={"held_out": "b"}) == pytest.approx(
        second.scores
    )
    with pytest.raises(zoo.UsageError, match="has no such speaker; a, b"):
        zoo.evaluate(second.folder, data=str(sentences), data_options={"held_out": "c"})
