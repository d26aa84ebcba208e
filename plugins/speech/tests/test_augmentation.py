"""Sounds are changed by draws of their own, the same in any batch, and left alone where nothing is asked."""

from dataclasses import fields
from typing import Any

import torch
from zoo_speech.augmentation import augmented_inputs
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
