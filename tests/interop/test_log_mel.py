"""Log-mel spectrograms equal those of transformers' feature extractors."""

import numpy as np
import pytest
import torch

transformers = pytest.importorskip("transformers")
zoo_speech = pytest.importorskip("zoo_speech.features")
from zoo_speech.sound import LogMel, Sound  # noqa: E402  # behind what is skipped without

SECONDS = 1.3


@pytest.fixture(scope="module")
def waves() -> np.ndarray:
    """Return a chirp, noise, and a sound that ends in silence."""
    random = np.random.default_rng(0)
    time = np.arange(int(16_000 * SECONDS)) / 16_000
    chirp = 0.5 * np.sin(2 * np.pi * (200 + 2000 * time) * time)
    noise = random.normal(0, 0.1, len(time))
    ended = np.where(time < 0.6, chirp + noise, 0)
    return np.stack([chirp, noise, ended]).astype(np.float32)


@pytest.mark.parametrize("mels", [80, 128])
def test_whisper(waves: np.ndarray, mels: int) -> None:
    theirs = transformers.WhisperFeatureExtractor(feature_size=mels)
    expected = theirs(list(waves), sampling_rate=16_000, return_tensors="pt").input_features
    spec = LogMel(style="whisper", mels=mels, window=400, hop=160, fft=400)
    sound = Sound(rate=16_000, samples=480_000, log_mel=spec)
    padded = torch.nn.functional.pad(torch.from_numpy(waves), (0, 480_000 - waves.shape[1]))
    found = zoo_speech.as_inputs(padded, torch.full((3,), waves.shape[1]), sound)
    assert found.shape == expected.shape and float((found - expected).abs().max()) < 1e-4


def test_ast(waves: np.ndarray) -> None:
    theirs = transformers.ASTFeatureExtractor()
    expected = theirs(list(waves), sampling_rate=16_000, return_tensors="pt").input_values.transpose(1, 2)
    spec = LogMel(
        style="kaldi", mels=128, window=400, hop=160, fft=512, low=20, frames=1024, mean=-4.2677393, std=2 * 4.5689974
    )
    found = zoo_speech.as_inputs(
        torch.from_numpy(waves), torch.full((3,), waves.shape[1]), Sound(rate=16_000, log_mel=spec)
    )
    assert found.shape == expected.shape and float((found - expected).abs().max()) < 1e-4


def test_waves_are_normalized_as_wav2vec2_has_it(waves: np.ndarray) -> None:
    theirs = transformers.Wav2Vec2FeatureExtractor(do_normalize=True, return_attention_mask=True)
    cut = [waves[0], waves[1][:9000]]
    expected = theirs(cut, sampling_rate=16_000, padding=True, return_tensors="pt").input_values
    rows = torch.stack(
        [torch.from_numpy(waves[0]), torch.nn.functional.pad(torch.from_numpy(cut[1]), (0, len(waves[0]) - 9000))]
    )
    found = zoo_speech.as_inputs(rows, torch.tensor([len(waves[0]), 9000]), Sound(rate=16_000, normalize=True))
    assert float((found - expected).abs().max()) < 1e-4
