"""Sounds are changed by draws of their own, the same in any batch, and left alone where nothing is asked."""

from dataclasses import fields
from typing import Any

import torch
from zoo_speech.augmentation import augmented_inputs, augmented_whole
from zoo_speech.features import as_inputs, log_mel
from zoo_speech.settings import Augmented
from zoo_speech.sound import LogMel, Sound

import zoo

SPEC = LogMel(style="kaldi", mels=40, window=200, hop=80, fft=256, low=20.0, frames=30, fit="stretch")
SOUND = Sound(rate=8000, samples=4000, normalize=True, log_mel=SPEC)
BATCH = {
    "waves": torch.randint(-9000, 9000, (5, 4000), generator=torch.Generator().manual_seed(0), dtype=torch.int16),
    "waves_lengths": torch.tensor([4000, 2000, 3000, 900, 3999]),
}
NONE: Any = Augmented(**{field.name: 0.0 for field in fields(Augmented)})


def changed(rows: list[int]) -> torch.Tensor:
    batch = {name: tensor[rows] for name, tensor in BATCH.items()}
    return augmented_inputs(batch, SOUND, Augmented(), zoo.Draws(0, 3, torch.tensor(rows)))


def test_a_sound_is_changed_alike_in_any_batch() -> None:
    together = changed([0, 1, 2, 3, 4])
    for row in range(5):
        assert torch.allclose(changed([row])[0], together[row], atol=1e-4)
    assert not torch.allclose(together, augmented_inputs(BATCH, SOUND, Augmented(), zoo.Draws(0, 4, torch.arange(5))))


def test_nothing_asked_is_nothing_changed() -> None:
    plain = as_inputs(BATCH["waves"].float() / 32768, BATCH["waves_lengths"], SOUND)
    assert torch.equal(augmented_inputs(BATCH, SOUND, NONE, zoo.Draws(0, 0, torch.arange(5))), plain)


def test_padding_is_not_stretched() -> None:
    waves, length = BATCH["waves"][:1].float() / 32768, torch.tensor([2000])
    waves[:, 2000:] = 0
    assert torch.allclose(log_mel(waves, length, SOUND), log_mel(waves[:, :2000], length, SOUND), atol=1e-5)


def test_what_is_written_down_is_cut_nowhere() -> None:
    """Clips that fill their batch are spoken slower or quicker: their first and last frames stay in, at their ends."""
    sound = Sound(rate=8000, log_mel=LogMel(style="kaldi", mels=40, window=200, hop=80, fft=256, low=20.0))
    waves, lengths = torch.zeros(8, 8000), torch.full((8,), 8000)
    waves[:, :240], waves[:, -240:] = torch.randn(8, 240), torch.randn(8, 240)
    settings: Any = Augmented(**{**{field.name: 0.0 for field in fields(Augmented)}, "stretch": 0.2})
    batch = {"waves": waves, "waves_lengths": lengths}
    found, frames = augmented_whole(batch, sound, settings, zoo.Draws(0, 0, torch.arange(8)))
    loud = found.mean(1) > found.mean()
    assert frames.min() < 90 and frames.max() > 105 and int(frames.max()) <= found.shape[2]
    for row, length in zip(loud, frames.tolist(), strict=True):
        assert row[:2].any() and row[length - 4 : length].any() and not row[10 : length - 10].any()
