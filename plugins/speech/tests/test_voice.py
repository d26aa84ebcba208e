"""Where there is speech, in sounds of any length."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from zoo_speech.decoding import blocks, read
from zoo_speech.silero import CHUNK, RATE, SileroVAD, spans

import zoo

WEIGHTS = "dist://silero-vad/silero_vad/data/silero_vad_16k.safetensors"
needs_wheel = pytest.mark.skipif(find_spec("silero_vad") is None, reason="needs silero-vad: pip install silero-vad")


def chunks(*shares: tuple[float, int]) -> list[float]:
    return [value for value, count in shares for _ in range(count)]


def test_spans_begin_and_end_where_probabilities_say() -> None:
    found = spans(chunks((0.1, 20), (0.9, 20), (0.1, 20)), 60 * CHUNK)
    assert found == [(20 * CHUNK - 480, 40 * CHUNK + 480)]


def test_short_speech_is_left_out_and_short_silence_bridged() -> None:
    assert spans(chunks((0.1, 20), (0.9, 5), (0.1, 20)), 45 * CHUNK) == []
    assert len(spans(chunks((0.9, 20), (0.1, 2), (0.9, 20)), 42 * CHUNK)) == 1
    assert len(spans(chunks((0.9, 20), (0.4, 9), (0.9, 20)), 49 * CHUNK)) == 1  # not 0.15 below
    assert spans([], 0) == []


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_pieces_of_a_file_are_the_whole(tmp_path: Path, rate: int) -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (3 * rate, 2)).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", sound, rate, subtype="FLOAT")
    pieces = list(blocks(tmp_path / "a.wav", RATE, 5000))
    whole = read(tmp_path / "a.wav", RATE)
    found = np.concatenate(pieces)
    assert len(pieces) > 5 and abs(len(found) - len(whole)) <= 1
    assert np.abs(found[: len(whole)] - whole[: len(found)]).max() < 1e-3


def test_what_is_heard_in_pieces_is_what_is_heard_at_once() -> None:
    torch.manual_seed(0)
    model, waves = SileroVAD().eval(), torch.randn(2, 10 * CHUNK)
    with torch.no_grad():
        whole = model(waves)
        first, heard = model.listen(waves[:, : 3 * CHUNK], model.start(2, waves))
        rest, _ = model.listen(waves[:, 3 * CHUNK :], heard)
    assert torch.allclose(torch.cat([first, rest], 1), whole, atol=1e-6) and whole.shape == (2, 10)


@needs_wheel
def test_silence_holds_no_speech(tmp_path: Path) -> None:
    model: Any = zoo.load(WEIGHTS)
    soundfile.write(tmp_path / "a.flac", np.zeros(3 * 8000), 8000)
    assert model.predict(tmp_path / "a.flac") == [{"seconds": 3.0, "speech": 0, "spans": []}]
    assert zoo.describe(WEIGHTS).task == "voice-activity-detection"
    with pytest.raises(zoo.UsageError, match="between 0 and 1"):
        model.predict(np.zeros(9, np.float32), rate=8000, threshold=2.0)
