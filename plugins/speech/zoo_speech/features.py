"""Waves as a model takes them: normalized, and as log-mel spectrograms equal to transformers' feature extractors."""

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from zoo_speech.sound import LogMel, Sound

_FLOOR = {"whisper": 1e-10, "kaldi": 1.192092955078125e-07}
_PREEMPHASIS = 0.97
_QUIET = 1e-7


def floats(waves: Tensor, like: Tensor | None = None) -> Tensor:
    """Return samples of 16 bits as numbers in [-1, 1]; those that are numbers already stay as they are."""
    device = waves.device if like is None else like.device
    waves = waves.to(device)
    return waves.float() / 32768 if waves.dtype == torch.int16 else waves.float()


def as_inputs(waves: Tensor, lengths: Tensor, sound: Sound) -> Tensor:
    """Return waves (batch, samples), of which `lengths` are sound, as the model takes them."""
    if sound.normalize:
        waves = normalized(waves, lengths)
    return waves if sound.log_mel is None else log_mel(waves, lengths, sound)


def normalized(waves: Tensor, lengths: Tensor) -> Tensor:
    """Return waves with mean 0 and variance 1 over their lengths, and silence behind them."""
    inside = torch.arange(waves.shape[1], device=waves.device) < lengths[:, None]
    count = lengths[:, None].to(waves.dtype)
    mean = (waves * inside).sum(1, keepdim=True) / count
    centred = (waves - mean) * inside
    variance = centred.square().sum(1, keepdim=True) / count
    return centred / (variance + _QUIET).sqrt()


def log_mel(waves: Tensor, lengths: Tensor, sound: Sound) -> Tensor:
    """Return log-mel spectrograms (batch, mels, frames)."""
    spec = sound.log_mel
    assert spec is not None
    power = _whisper_power(waves, spec) if spec.style == "whisper" else _kaldi_power(waves, spec)
    filters = torch.from_numpy(mel_filters(spec, sound.rate)).to(power.device, power.dtype)
    found = (filters @ power).clamp(min=_FLOOR[spec.style])
    if spec.style == "whisper":
        found = found.log10()
        found = (torch.maximum(found, found.amax((1, 2), keepdim=True) - 8) + 4) / 4
    else:
        found = found.log().float()
    return (_fitted(found, lengths, spec) - spec.mean) / spec.std


def frame_counts(lengths: Tensor, spec: LogMel) -> Tensor:
    """Return how many frames of a spectrogram come of so many samples."""
    if spec.style == "whisper":
        return (lengths // spec.hop).clamp(min=1)
    return 1 + (lengths - spec.window).clamp(min=0) // spec.hop


def _fitted(found: Tensor, lengths: Tensor, spec: LogMel) -> Tensor:
    if spec.frames is None:
        return found
    if spec.fit == "stretch":
        return _stretched(found, frame_counts(lengths, spec).clamp(max=found.shape[2]), spec.frames)
    found = found[:, :, : spec.frames]
    return F.pad(found, (0, spec.frames - found.shape[2]))


def _stretched(found: Tensor, counts: Tensor, frames: int) -> Tensor:
    """Return the first `counts` frames of each as `frames`, between which is interpolated."""
    places = (torch.arange(frames, device=found.device) + 0.5) * (counts[:, None].float() / frames) - 0.5
    places = torch.minimum(places.clamp(min=0), counts[:, None].float() - 1)
    below = places.long()
    above = torch.minimum(below + 1, counts[:, None] - 1)
    share = (places - below)[:, None]

    def at(index: Tensor) -> Tensor:
        return found.gather(2, index[:, None].expand(-1, found.shape[1], -1))

    return at(below) * (1 - share) + at(above) * share


def _whisper_power(waves: Tensor, spec: LogMel) -> Tensor:
    if waves.shape[1] <= spec.fft // 2:
        waves = F.pad(waves, (0, spec.fft // 2 + 1 - waves.shape[1]))
    window = torch.hann_window(spec.window, device=waves.device)
    found = torch.stft(waves, spec.fft, spec.hop, spec.window, window=window, return_complex=True)
    kept = found if found.shape[2] == 1 else found[..., :-1]
    return kept.abs().square().contiguous()


def _kaldi_power(waves: Tensor, spec: LogMel) -> Tensor:
    if waves.shape[1] < spec.window:
        waves = F.pad(waves, (0, spec.window - waves.shape[1]))
    # in doubles: of a pure tone, what is left in other bands is far below what single floats round away
    frames = waves.double().unfold(1, spec.window, spec.hop)
    frames = frames - frames.mean(2, keepdim=True)
    before = torch.cat([frames[..., :1], frames[..., :-1]], 2)
    frames = (frames - _PREEMPHASIS * before) * torch.hann_window(
        spec.window, periodic=False, dtype=torch.float64, device=waves.device
    )
    return torch.view_as_real(torch.fft.rfft(frames, spec.fft)).square().sum(-1).mT.contiguous()


@lru_cache(maxsize=32)
def mel_filters(spec: LogMel, rate: int) -> NDArray[np.float64]:
    """Return triangles over the bins of a spectrum, (mels, bins): of one area after Slaney, of one height as Kaldi."""
    high = spec.high or rate / 2
    bins = np.linspace(0, rate / 2, spec.fft // 2 + 1)
    slaney = spec.style == "whisper"
    scale = _slaney if slaney else _kaldi
    corners = np.linspace(scale(np.array(spec.low)), scale(np.array(high)), spec.mels + 2)
    if slaney:  # triangles in Hz; Kaldi's are triangles in mel
        corners = _from_slaney(corners)
    places = bins if slaney else scale(bins)
    widths = np.diff(corners)
    slopes = corners[:, None] - places
    found = np.maximum(0, np.minimum(-slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]))
    if slaney:
        found *= (2 / (corners[2:] - corners[:-2]))[:, None]
    return found


def _kaldi(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127.0 * np.log(1 + hertz / 700)


def _slaney(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(hertz >= 1000, 15 + np.log(np.maximum(hertz, 1e-9) / 1000) * 27 / np.log(6.4), hertz * 3 / 200)


def _from_slaney(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mels >= 15, 1000 * np.exp((mels - 15) * np.log(6.4) / 27), mels * 200 / 3)
