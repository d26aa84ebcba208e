"""Sounds of any file that libsndfile reads, as one channel of 16 bits at the rate that is asked for."""

import io
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import zoo

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au")
_HEAD = 8
_OPEN_ENDED = (0, 0xFFFFFFFF)
"""Lengths that programs write which do not know them yet."""
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
    return _floats(_read(source, rate))


def read_16_bits(source: Source, rate: int) -> NDArray[np.int16]:
    """Return a sound as it is kept, as `read` does otherwise; files of 16 bits come without a way over floats."""
    found = _read(source, rate)
    return found if found.dtype == np.int16 else as_16_bits(found)


def _read(source: Source, rate: int) -> NDArray[Any]:
    samples, found = (source.samples, source.rate) if isinstance(source, Recorded) else _decoded(source)
    if not len(samples):
        raise zoo.DataError(f"{name_of(source)} holds no sound; leave it out")
    if samples.dtype != np.int16 and not np.isfinite(samples).all():
        raise zoo.DataError(f"{name_of(source)} holds samples that are no numbers; leave it out")
    return samples if found == rate else resampled(_floats(samples), found, rate)


def blocks(source: Source, rate: int, samples: int) -> Iterator[Samples]:
    """Yield a sound as `read` returns it, in pieces of about so many samples, never all of it at once."""
    if not isinstance(source, Path):
        whole = read(source, rate)
        yield from (whole[start : start + samples] for start in range(0, len(whole), samples))
        return
    import soxr

    with _opened(source) as (file, is_cut):
        change = None if file.samplerate == rate else soxr.ResampleStream(file.samplerate, rate, 1, "float32")
        left = file.frames
        for block in file.blocks(samples, dtype="float32", always_2d=True):
            left -= len(block)
            mono = block.mean(1, dtype=np.float32)
            if not np.isfinite(mono).all():
                raise zoo.DataError(f"{source} holds samples that are no numbers; leave it out")
            yield mono if change is None else change.resample_chunk(mono, last=left <= 0)
    if left > 0 or is_cut:
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
    with _opened(source) as (file, _):
        return int(file.samplerate)


def name_of(source: Source) -> str:
    """Return what a message calls a sound."""
    return str(source) if isinstance(source, Path) else source.name


def _floats(samples: NDArray[Any]) -> Samples:
    found: Samples = samples.astype(np.float32, copy=False)
    return found / np.float32(32768) if samples.dtype == np.int16 else found


def _decoded(source: Path | Encoded) -> tuple[NDArray[Any], int]:
    """Return samples of one channel, of 16 bits where the file has no more, and their rate."""
    import soundfile

    with _opened(source) as (file, is_cut):
        try:
            samples: NDArray[Any] = file.read(dtype="int16" if file.subtype == "PCM_16" else "float32")
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise zoo.DataError(f"{name_of(source)} breaks off: {_reason(error)}; get a fresh copy") from None
        if is_cut or 0 < len(samples) < file.frames:
            raise zoo.DataError(f"{name_of(source)} breaks off after {len(samples):,} samples; get a fresh copy")
        rate = int(file.samplerate)
    return (samples if samples.ndim == 1 else _floats(samples).mean(1, dtype=np.float32)), rate


@contextmanager
def _opened(source: Path | Encoded) -> Iterator[tuple[Any, bool]]:
    """Yield a sound file, and whether it is a RIFF file shorter than its head says, which libsndfile passes over."""
    import soundfile

    with _descriptor(source) as (place, head, size):
        if not size:
            raise zoo.DataError(f"{name_of(source)} is an empty file; leave it out, or get a fresh copy")
        try:
            file = soundfile.SoundFile(place, closefd=False)
        except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
            raise zoo.DataError(f"{name_of(source)} is no sound file: {_reason(error)}; leave it out") from None
        with file:
            said = struct.unpack("<I", head[4:])[0] if len(head) == _HEAD and head.startswith(b"RIFF") else 0
            yield file, said not in _OPEN_ENDED and size < said // 2 * 2 + _HEAD


@contextmanager
def _descriptor(source: Path | Encoded) -> Iterator[tuple[Any, bytes, int]]:
    """Yield what libsndfile opens, the first bytes of it, and how many there are."""
    if isinstance(source, Encoded):
        yield io.BytesIO(source.content), source.content[:_HEAD], len(source.content)
        return
    try:
        # one that is a pipe must not be waited for
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise zoo.DataError(f"{source} cannot be read: {error.strerror}; check it") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise zoo.DataError(f"{source} is no file; leave it out")
        yield descriptor, os.pread(descriptor, _HEAD, 0), status.st_size
    finally:
        os.close(descriptor)


def _reason(error: Exception) -> str:
    text = str(getattr(error, "error_string", error)).strip().rstrip(".")
    return text or type(error).__name__
