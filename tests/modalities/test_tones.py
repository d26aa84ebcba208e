"""A plugin of sounds, which nothing in the core knows, goes the whole way."""

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zoo
from tests.modalities.conftest import Trained
from tests.modalities.whole_way import WholeWay
from zoo.testing import ModelTests, RecipeTests

SOUNDS = torch.rand(6, 400, generator=torch.Generator().manual_seed(0)) * 2 - 1


PLUGIN = Path(__file__).with_name("zoo_tones")


def write_wave(path: Path, samples: Any, *, rate: int = 8000, channels: int = 1, width: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.asarray(samples).astype("<i2" if width == 2 else np.uint8).tobytes())
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a few tones of two pitches, each recorded for a tenth of a second at 16 kHz, in stereo."""
    turns = 2 * np.pi * np.arange(1600) / 16_000
    for name, pitch in (("high", 1200), ("low", 300)):
        for place in range(10):
            mono = 20_000 * np.sin(turns * (pitch + 5 * place))
            write_wave(tmp_path / "sounds" / name / f"{place}.wav", np.repeat(mono, 2), rate=16_000, channels=2)
    return tmp_path / "sounds"


class TestToneNet(ModelTests):
    name = "tone_net"

    def inputs(self) -> torch.Tensor:
        return SOUNDS


class TestSoundDenoising(RecipeTests):
    name, model = "sound_denoising", "tone_net"

    def batch(self) -> dict[str, torch.Tensor]:
        return {"sounds": SOUNDS}


class TestSoundClassification(RecipeTests):
    name, model, classes = "sound_classification", "tone_net", ("sawtooth", "sine", "square")

    def batch(self) -> dict[str, torch.Tensor]:
        return {"sounds": SOUNDS, "labels": torch.arange(6) % 3}


class TestTones(WholeWay):
    package, modality, model, data = "zoo_tones", "tone", "tone_net", "tones"
    task, pipeline_tag = "tone-classification", "audio-classification"
    recipes, score = ("sound_denoising", "sound_classification"), "accuracy"
    quick, positional = {"epochs": 14}, True

    def inputs(self) -> dict[str, torch.Tensor]:
        return {"sounds": SOUNDS}

    def test_learns(self, trained: Trained) -> None:
        assert trained.pretrained.scores["mse"] < 0.1  # silence for an answer has 0.2
        assert trained.finetuned.scores["accuracy"] > 50  # of three classes

    def test_predicts(self, trained: Trained, folder: Path, zoo_command: Any) -> None:
        paths = sorted((folder / "low").iterdir())
        coded = zoo.load(trained.finetuned.folder).predict(paths)
        typed = zoo_command("predict", str(trained.finetuned.folder), str(folder / "low"), "--json")
        shown = json.loads(typed.stdout)
        assert [row.pop("tone") for row in shown] == [str(path) for path in paths]
        assert [[item["label"] for item in row["predictions"]] for row in shown] == [
            [item["label"] for item in row["predictions"]] for row in coded
        ]
        assert {item["label"] for item in coded[0]["predictions"]} == {"sawtooth", "sine", "square"}
        with pytest.raises(zoo.UsageError, match="makes no predictions; finetune it"):
            zoo.load(trained.pretrained.folder).predict(paths)

    def test_embeds(self, trained: Trained, folder: Path, zoo_command: Any, tmp_path: Path) -> None:
        weights, paths = str(trained.pretrained.folder), sorted((folder / "low").iterdir())
        coded = zoo.load(weights).embed(paths, batch_size=3, normalize=True)
        assert coded.shape == (10, 32) and torch.allclose(coded.norm(dim=1), torch.ones(10))
        typed = json.loads(zoo_command("embed", weights, str(folder / "low"), "--normalize").stdout)
        assert [row["tone"] for row in typed] == [str(path) for path in paths]
        assert torch.allclose(torch.tensor([row["embedding"] for row in typed]), coded, atol=1e-6)
        out = tmp_path / "vectors.safetensors"
        command = ("embed", weights, "--data", "tones", "--split", "test", "--out", str(out), "--neighbours", "2")
        made, *table = zoo_command(*command).stdout.splitlines()
        assert made == f"60 clips, 32 numbers each  {out}" and not list(tmp_path.glob("*.png"))
        assert table[0].split() == ["TONE", "COSINE", "NEAREST"] and table[1].split()[0] == "test/0"
        assert "(done before)" in zoo_command(*command).stdout
        with pytest.raises(zoo.UsageError, match="has no split 'valid', but train, test, or all"):
            zoo.load(weights).embed.data(zoo.DataSource(name="tones"), "valid")

    def test_options_of_another_task_are_refused(
        self, trained: Trained, folder: Path, site: Any, zoo_command: Any
    ) -> None:
        site.install("zoo-picky", _PICKY)
        done = zoo_command("predict", str(trained.finetuned.folder), str(folder), "--pick", "3")
        assert done.returncode == 2 and "--pick says nothing to" in done.stderr


_PICKY = """
import zoo
@zoo.hookimpl
def zoo_tasks():
    yield zoo.TaskSpec(name="picking", summary="Pick", recipe="image_classification", score="accuracy",
                       options=(zoo.OptionSpec(name="pick", summary="How many are picked.", type="integer"),))
"""


def test_a_folder_for_each_class(folder: Path, tmp_path: Path) -> None:
    first = zoo.pretrain("tone_net", data=str(folder), out=tmp_path / "first", settings={"steps": 5})
    second = zoo.finetune(
        first.folder, task="tone-classification", data=str(folder), out=tmp_path / "second", settings={"epochs": 20}
    )
    assert second.scores == {"accuracy": 100.0}
    described = zoo.describe(second.folder)
    assert described.labels == ("high", "low")
    assert (described.inputs.values.rate, described.inputs.values.samples) == (16_000, 1600)  # type: ignore[union-attr]


def test_options_say_how_sounds_are_read(folder: Path, tmp_path: Path) -> None:
    run = zoo.pretrain(
        "tone_net", data=str(folder), out=tmp_path / "run", settings={"steps": 2}, data_options={"rate": "8000"}
    )
    values = zoo.describe(run.folder).inputs.values  # type: ignore[union-attr]
    assert (values.rate, values.samples) == (8000, 800)
    assert json.loads((run.folder / "run.json").read_text())["source"]["options"] == {"rate": "8000"}
    assert zoo.evaluate(run.folder, data=str(folder), data_options={"rate": 8000})
    with pytest.raises(zoo.UsageError, match="these weights hear 8000"):
        zoo.evaluate(run.folder, data=str(folder), data_options={"rate": 16_000})
    with pytest.raises(zoo.UsageError, match="in the options of the data; tone data take rate"):
        zoo.evaluate(run.folder, data=str(folder), data_options={"rate": "fast"})


def test_fewer_labels_and_held_out_sounds(folder: Path, tmp_path: Path) -> None:
    first = zoo.pretrain(
        "tone_net", data=str(folder), out=tmp_path / "first", settings={"steps": 2, "validation": 0.25}
    )
    second = zoo.finetune(
        first.folder,
        task="tone-classification",
        data=str(folder),
        out=tmp_path / "second",
        labels=4,
        method="frozen",
        settings={"steps": 2},
    )
    fingerprints = [zoo.describe(run.folder).data.fingerprint for run in (first, second)]  # type: ignore[union-attr]
    assert len(set(fingerprints)) == 2
    with pytest.raises(zoo.UsageError, match="ask for [12] to 16"):
        zoo.finetune(first.folder, task="tone-classification", data=str(folder), out=tmp_path / "x", labels=17)


def test_sounds_without_classes_cannot_be_classified(folder: Path, tmp_path: Path) -> None:
    first = zoo.pretrain("tone_net", data=str(folder / "low"), out=tmp_path / "first", settings={"steps": 2})
    with pytest.raises(zoo.DataError, match="has no labels; give data that have"):
        zoo.finetune(first.folder, task="tone-classification", data=str(folder / "low"), out=tmp_path / "second")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no wave file"),
        (b"RIFF\x00\x00\x00\x00WAVE", "is no wave file"),
        (None, "has 8 bits a sample"),
    ],
)
def test_what_is_no_sound_is_named(folder: Path, tmp_path: Path, content: bytes | None, said: str) -> None:
    broken = write_wave(folder / "low" / "broken.wav", np.zeros(10), width=1)
    if content is not None:
        broken.write_bytes(content)
    with pytest.raises(zoo.DataError, match=f"broken.wav {said}"):
        zoo.pretrain("tone_net", data=str(folder), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()
