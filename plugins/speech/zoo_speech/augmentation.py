"""Other sounds that are the same to a listener, as functions of (sounds, draws)."""

import math
from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

import zoo
from zoo_speech.features import as_inputs, floats, frame_counts
from zoo_speech.sound import Sound

_CURVES = 4
_BANDS = 2
_WHISPER_RANGE = 0.1
"""How much of a nat there is in one unit of a spectrogram of Whisper's, about: log10, over 4."""


def model_inputs(batch: zoo.Batch, sound: Sound) -> Tensor:
    """Return the sounds of a batch as a model takes them; what is given so already stays."""
    if "log_mel" in batch:
        return batch["log_mel"]
    return as_inputs(floats(batch["waves"]), _lengths(batch), sound)


def augmented_inputs(batch: zoo.Batch, sound: Sound, settings: Any, draws: zoo.Draws) -> Tensor:
    """Return the sounds of a batch, changed as the settings say, as a model takes them."""
    if "log_mel" in batch:
        return augmented_spectrograms(batch["log_mel"], settings, draws)
    lengths = _lengths(batch)
    waves, lengths = augmented_waves(floats(batch["waves"]), lengths, settings, draws)
    found = as_inputs(waves, lengths, sound)
    return found if sound.log_mel is None else augmented_spectrograms(found, settings, draws, sound)


def augmented_whole(batch: zoo.Batch, sound: Sound, settings: Any, draws: zoo.Draws) -> tuple[Tensor, Tensor]:
    """Return the sounds of a batch, changed but cut nowhere, as what is said in them asks; and their lengths then."""
    if "log_mel" in batch:
        found = batch["log_mel"]
        lengths = torch.full((len(found),), found.shape[2], device=found.device)
    else:
        waves, samples = augmented_waves(floats(batch["waves"]), _lengths(batch), settings, draws)
        found = as_inputs(waves, samples, sound)
        lengths = lengths_in(samples, found, sound)
    if found.ndim == 2:
        return found, lengths
    found = _warped(found, settings, draws)
    if settings.stretch:
        found, lengths = _paced(found, lengths, settings.stretch, draws)
    return _changed(found, settings, draws, sound), lengths


def input_lengths(batch: Mapping[str, Tensor], inputs: Tensor, sound: Sound) -> Tensor:
    """Return how much of each input is sound: frames of a spectrogram, or samples."""
    if "waves_lengths" not in batch:
        return torch.full((len(inputs),), inputs.shape[-1], device=inputs.device)
    return lengths_in(batch["waves_lengths"], inputs, sound)


def lengths_in(samples: Tensor, inputs: Tensor, sound: Sound) -> Tensor:
    """Return lengths in samples as lengths in what a model takes."""
    found = samples if sound.log_mel is None else frame_counts(samples, sound.log_mel)
    return found.to(inputs.device).clamp(max=inputs.shape[-1])


def augmented_waves(waves: Tensor, lengths: Tensor, settings: Any, draws: zoo.Draws) -> tuple[Tensor, Tensor]:
    """Return waves shifted into the silence behind them, louder or softer, with noise; and their lengths."""
    samples = waves.shape[1]
    if settings.shift:
        room = (samples - lengths).clamp(max=int(settings.shift * samples))
        by = (draws.uniform("shift") * (room + 1)).long()
        places = torch.arange(samples, device=waves.device) - by[:, None]
        waves = waves.gather(1, places.clamp(min=0)) * (places >= 0)
        lengths = lengths + by
    if settings.gain:
        waves = waves * (10 ** ((draws.uniform("gain", 1) * 2 - 1) * settings.gain / 20))
    if settings.noise:
        inside = torch.arange(samples, device=waves.device) < lengths[:, None]
        loudness = (waves.square().sum(1, keepdim=True) / lengths[:, None]).sqrt()
        level = draws.uniform("noise level", 1) * settings.noise * loudness
        waves = waves + level * draws.normal("noise", samples) * inside
    return waves, lengths


def augmented_spectrograms(found: Tensor, settings: Any, draws: zoo.Draws, sound: Sound | None = None) -> Tensor:
    """Return log-mel spectrograms with curves added, scaled in time and frequency, and with bands hidden."""
    found = _resampled(_warped(found, settings, draws), settings.stretch, draws, "stretch")
    return _changed(found, settings, draws, sound)


def _warped(found: Tensor, settings: Any, draws: zoo.Draws) -> Tensor:
    """Scale and move frequency, whose rows are gathered and not computed by products."""
    return _resampled(found.transpose(1, 2), settings.warp, draws, "warp").transpose(1, 2)


def _changed(found: Tensor, settings: Any, draws: zoo.Draws, sound: Sound | None) -> Tensor:
    """Return spectrograms with curves added, and bands hidden."""
    if settings.tilt:
        found = found + _tilted(found, settings.tilt * _unit(sound), draws)
    for place in range(_BANDS):
        if settings.frequency_mask:
            found = _hidden(found, 1, settings.frequency_mask, draws, f"frequency mask {place}")
        if settings.time_mask:
            found = _hidden(found, 2, settings.time_mask, draws, f"time mask {place}")
    return found


def _lengths(batch: zoo.Batch) -> Tensor:
    waves = batch["waves"]
    full = torch.full((len(waves),), waves.shape[1], device=waves.device)
    return batch.get("waves_lengths", full)


def _unit(sound: Sound | None) -> float:
    """Return what a difference of one deviation over a data set comes to; Whisper's numbers have none taken out."""
    return 1.0 if sound is None or sound.log_mel is None or sound.log_mel.style == "kaldi" else _WHISPER_RANGE


def _resampled(found: Tensor, share: float, draws: zoo.Draws, name: str) -> Tensor:
    """Scale the last dimension by up to a share, and move it by up to half of that; edges go on as they end."""
    if not share:
        return found
    size = found.shape[2]
    scale = 1 + (draws.uniform(f"{name} scale", 1) * 2 - 1) * share
    moved = (draws.uniform(f"{name} move", 1) * 2 - 1) * share / 2
    unit = torch.linspace(-1, 1, size, device=found.device)
    return _at(found, ((unit * scale + 2 * moved) + 1) * (size - 1) / 2)


def _paced(found: Tensor, lengths: Tensor, share: float, draws: zoo.Draws) -> tuple[Tensor, Tensor]:
    """Return spectrograms spoken quicker or slower by up to a share, from their first frame on, and their lengths."""
    pace = 1 + (draws.uniform("stretch scale") * 2 - 1) * share
    frames = torch.arange(math.ceil(found.shape[2] * (1 + share)), device=found.device)
    paced = (lengths * pace).round().long().clamp(min=1, max=len(frames))
    return _at(found, (frames + 0.5) / pace[:, None] - 0.5), paced


def _at(found: Tensor, places: Tensor) -> Tensor:
    """Return what lies at places (batch, size) of the last dimension, between its frames; edges go on as they end."""
    last = found.shape[2] - 1
    places = places.clamp(0, last)
    below = places.long()
    above = (below + 1).clamp(max=last)
    part = (places - below)[:, None]

    def at(index: Tensor) -> Tensor:
        return found.gather(2, index[:, None].expand(-1, found.shape[1], -1))

    return at(below) * (1 - part) + at(above) * part


def _tilted(found: Tensor, size: float, draws: zoo.Draws) -> Tensor:
    mels = found.shape[1]
    places = (torch.arange(mels, device=found.device) + 0.5) * math.pi / mels
    curves = torch.cos(places * torch.arange(_CURVES, device=found.device)[:, None])
    weights = draws.normal("tilt", _CURVES) * size
    return (weights[:, :, None] * curves).sum(1)[:, :, None]


def _hidden(found: Tensor, dimension: int, share: float, draws: zoo.Draws, name: str) -> Tensor:
    size = found.shape[dimension]
    width = draws.uniform(f"{name} width", 1) * share * size
    start = draws.uniform(f"{name} start", 1) * (size - width)
    places = torch.arange(size, device=found.device)
    hidden = (places >= start) & (places < start + width)
    mean = found.mean((1, 2), keepdim=True)
    return torch.where(hidden.unsqueeze(3 - dimension), mean, found)


def second_view(draws: zoo.Draws) -> zoo.Draws:
    """Return draws for another view of the same sounds."""
    return draws.within("second view")


def pooled(model: Any, inputs: Tensor) -> Tensor:
    """Return the features that a model pools for its head."""
    found: Tensor = model.forward_head(model.forward_features(inputs), pre_logits=True)
    return found


def l2(x: Tensor) -> Tensor:
    """Return rows of length 1."""
    return F.normalize(x, dim=1)
