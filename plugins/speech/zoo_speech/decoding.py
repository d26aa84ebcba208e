"""Sounds of any file that libsndfile reads, as one channel of 16 bits at the rate that is asked for."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import zoo

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au")
_RIFF, _OPEN_ENDED = 8, (0, 0xFFFFFFFF)
Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Encoded:
    """A sound file in memory, and how to call it."""

    name: str
    content: bytes


@dataclass(frozen=True, eq=False)
class Recorded:
    """Samples of 16 bits of one channel, or floats in [-1, 1], and their rate."""

    name: str
    samples: NDArray[Any]
    rate: int


Source: TypeAlias = Path | Encoded | Recorded


def read(source: Source, rate: int) -> Samples:
    """Return a sound as floats in [-1, 1]: the mean of its channels, resampled.

    Raise DataError for what is no sound, breaks off, or holds nothing.
    """
    samples, found = (_floats(source.samples), source.rate) if isinstance(source, Recorded) else _decoded(source)
    name = name_of(source)
    if not len(samples):
        raise zoo.DataError(f"{name} holds no sound; leave it out")
    if not np.isfinite(samples).all():
        raise zoo.DataError(f"{name} holds samples that are no numbers; leave it out")
    return resampled(samples, found, rate)


def blocks(source: Source, rate: int, samples: int) -> Iterator[Samples]:
    """Yield a sound as `read` returns it, in pieces of about so many samples, never all of it at once."""
    if not isinstance(source, Path):
        whole = read(source, rate)
        yield from (whole[start : start + samples] for start in range(0, len(whole), samples))
        return
    import soxr

    with _opened(source) as file:
        change = None if file.samplerate == rate else soxr.ResampleStream(file.samplerate, rate, 1, "float32")
        left = file.frames
        for block in file.blocks(samples, dtype="float32", always_2d=True):
            left -= len(block)
            mono = block.mean(1, dtype=np.float32)
            if not np.isfinite(mono).all():
                raise zoo.DataError(f"{source} holds samples that are no numbers; leave it out")
            yield mono if change is None else change.resample_chunk(mono, last=left <= 0)
    if left > 0 or _is_cut(source):
        raise zoo.DataError(f"{source} breaks off {left:,} samples before its end; get a fresh copy")


def resampled(samples: Samples, source: int, target: int) -> Samples:
    """Return a sound at another rate."""
    if source == target:
        return samples
    import soxr

    found: Samples = soxr.resample(samples, source, target)
    return found if len(found) else np.zeros(1, np.float32)


def as_16_bits(samples: Samples) -> NDArray[np.int16]:
    """Return floats in [-1, 1] as they are kept."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def rate_of(source: Source) -> int:
    """Return the rate of a sound. Raise DataError for what is none."""
    if isinstance(source, Recorded):
        return source.rate
    with _opened(source) as file:
        return int(file.samplerate)


def name_of(source: Source) -> str:
    """Return what a message calls a sound."""
    return str(source) if isinstance(source, Path) else source.name


def _floats(samples: NDArray[Any]) -> Samples:
    found: Samples = samples.astype(np.float32)
    return found / np.float32(32768) if samples.dtype == np.int16 else found


def _decoded(source: Path | Encoded) -> tuple[Samples, int]:
    import soundfile

    with _opened(source) as file:
        try:
            samples: Samples = file.read(dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise zoo.DataError(f"{name_of(source)} breaks off: {_reason(error)}; get a fresh copy") from None
        if 0 < len(samples) < file.frames or _is_cut(source):
            raise zoo.DataError(f"{name_of(source)} breaks off after {len(samples):,} samples; get a fresh copy")
        rate = int(file.samplerate)
    return (samples[:, 0] if samples.shape[1] == 1 else samples.mean(1, dtype=np.float32)), rate


def _opened(source: Path | Encoded) -> Any:
    import soundfile

    try:
        if isinstance(source, Path):
            with open(source, "rb") as file:  # libsndfile says nothing of why a file cannot be opened
                file.read(1)
        return soundfile.SoundFile(str(source) if isinstance(source, Path) else io.BytesIO(source.content))
    except OSError as error:
        raise zoo.DataError(f"{name_of(source)} cannot be read: {error.strerror or error}; check it") from None
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        raise zoo.DataError(f"{name_of(source)} is no sound file: {_reason(error)}; leave it out") from None


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", error)).strip().rstrip(".")
    return text or type(error).__name__


def _is_cut(source: Path | Encoded) -> bool:
    """Tell whether a RIFF file is shorter than its head says, which libsndfile passes over."""
    if isinstance(source, Path):
        with open(source, "rb") as file:
            head, size = file.read(_RIFF), source.stat().st_size
    else:
        head, size = source.content[:_RIFF], len(source.content)
    if len(head) < _RIFF or not head.startswith(b"RIFF"):
        return False
    said = struct.unpack("<I", head[4:])[0]
    return said not in _OPEN_ENDED and size < said // 2 * 2 + _RIFF
