"""Silero VAD equals its own ONNX on ten minutes of sound, and its spans those of its own code.

The wheel's safetensors are other weights than its ONNX, of the same network: computing is compared with those of its
TorchScript, and what the safetensors find with that by how much it overlaps.
"""

import os
from importlib.metadata import files
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

silero_vad = pytest.importorskip("silero_vad")
pytest.importorskip("onnxruntime")
silero = pytest.importorskip("zoo_speech.silero")

MINUTES = 10
NAMES = {
    "stft_conv.weight": "stft.forward_basis_buffer",
    **{f"conv{n + 1}.{kind}": f"encoder.{n}.reparam_conv.{kind}" for n in range(4) for kind in ("weight", "bias")},
    **{f"lstm_cell.{kind}_{of}": f"decoder.rnn.{kind}_{of}" for kind in ("weight", "bias") for of in ("ih", "hh")},
    **{f"final_conv.{kind}": f"decoder.decoder.2.{kind}" for kind in ("weight", "bias")},
}
DATA = Path(os.environ.get("ZOO_DATA", "/nowhere")) / "fsdd/recordings"


def long_sound() -> np.ndarray:
    """Return digits between pauses of silence and of noise, ten minutes at 16 kHz."""
    from zoo_speech.decoding import read

    random = np.random.default_rng(0)
    paths = sorted(DATA.glob("*.wav"))
    pieces: list[np.ndarray] = []
    while sum(map(len, pieces)) < MINUTES * 60 * silero.RATE:
        pause = random.normal(0, random.choice([0, 0.001, 0.02]), int(silero.RATE * random.exponential(0.6)))
        pieces += [read(paths[random.integers(len(paths))], silero.RATE), pause.astype(np.float32)]
    return np.concatenate(pieces)[: MINUTES * 60 * silero.RATE - 77]


@pytest.mark.skipif(not DATA.is_dir(), reason="needs real recordings: set ZOO_DATA")
def test_probabilities_and_spans() -> None:
    sound = torch.from_numpy(long_sound())
    model = silero.SileroVAD().eval()
    scripted = silero_vad.load_silero_vad(onnx=False).state_dict()
    model.load_state_dict({ours: scripted[f"_model.{name}"] for ours, name in NAMES.items()})
    theirs = silero_vad.load_silero_vad(onnx=True)
    padded = torch.nn.functional.pad(sound, (0, -len(sound) % silero.CHUNK))
    expected = torch.tensor([theirs(chunk, silero.RATE).item() for chunk in padded.split(silero.CHUNK)])
    with torch.no_grad():
        found = model(sound[None])[0]
        first, heard = model.listen(padded[None, : 100 * silero.CHUNK], model.start(1, padded))
        rest, _ = model.listen(padded[None, 100 * silero.CHUNK :], heard)
    assert len(found) == len(expected) and float((found - expected).abs().max()) < 1e-4
    assert torch.allclose(torch.cat([first, rest], 1)[0], found, atol=1e-5)
    for threshold in (0.3, 0.5, 0.8):
        own = silero_vad.utils_vad.get_speech_timestamps_from_probs(
            expected.tolist(), threshold=threshold, audio_length_samples=len(sound)
        )
        mine = silero.spans(found.tolist(), len(sound), threshold=threshold)
        assert mine == [(span["start"], span["end"]) for span in own] and len(mine) > 50
    shipped = silero.SileroVAD().eval()
    place = next(item for item in files("silero-vad") or () if item.name == "silero_vad_16k.safetensors")
    shipped.load_state_dict(load_file(str(place.locate())))
    with torch.no_grad():
        also = shipped(sound[None])[0]
    assert float(((also > 0.5) == (expected > 0.5)).float().mean()) > 0.9
