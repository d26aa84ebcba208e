"""A class of sounds is explained by zoo-speech's own explainer, which `zoo explain` knows by the hook."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from zoo_speech.sound import LogMel, Sound

import zoo

RATE = 8000


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    model = zoo.create("bc_resnet_1", num_classes=2)
    spec = LogMel(style="kaldi", mels=40, window=200, hop=80, fft=256, frames=50)
    sound = Sound(rate=RATE, samples=4000, normalize=True, log_mel=spec)
    zoo.save(model, tmp_path / "w", task="audio-classification", labels=("high", "low"), inputs=sound)
    return tmp_path / "w"


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    time = np.arange(4000) / RATE
    soundfile.write(tmp_path / "clip.wav", 0.3 * np.sin(2 * np.pi * 700 * time), RATE)
    return tmp_path / "clip.wav"


def test_gradients_add_up_to_the_difference_from_silence(weights: Path, clip: Path) -> None:
    model: Any = zoo.load(weights)
    assert model.explain.methods == ("sound_gradients",)
    (found,) = model.explain(clip, target="low")
    assert found["target"] == "low" and found["map"].shape == found["input"].shape == (40, 50)
    heard = torch.from_numpy(found["input"])[None]
    with torch.no_grad():
        apart = float((model(heard) - model(torch.full_like(heard, float(heard.min()))))[0, 1])
    assert found["map"].sum() == pytest.approx(apart, rel=0.1, abs=0.02)


def test_it_is_drawn_and_put_in_a_row(weights: Path, clip: Path, tmp_path: Path) -> None:
    explainer = zoo.load(weights).explain.explainer()
    ((name, item),) = explainer.items([str(clip)])
    (result,) = explainer([item])
    assert name == str(clip) and explainer.row(result)[0] in ("high", "low")
    (path,) = explainer.draw(item, {"sound_gradients": result}, tmp_path / "drawn")
    with Image.open(path) as picture:
        assert len(picture.convert("RGB").getcolors(1 << 20) or ()) > 50


def test_a_class_that_there_is_not_is_named(weights: Path, clip: Path) -> None:
    with pytest.raises(zoo.UsageError, match="no class 'mid'; choose one of high, low"):
        zoo.load(weights).explain(clip, target="mid")
