"""How sounds become inputs: what config.json keeps, and what can be said of data."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta, Struct

if TYPE_CHECKING:
    from torch import Generator, Tensor

Rate = Annotated[int, Meta(ge=1, le=768_000)]
_Samples = Annotated[int, Meta(ge=1, le=1 << 26)]
_EXAMPLE_SECONDS = 1


@dataclass(frozen=True, kw_only=True)
class SoundOptions:
    """Sounds are taken at `rate` samples a second; None takes that of the weights, or of most clips.

    `seconds` is the length that clips of a fresh model are cut or padded to; with `fit=stretch` its spectrograms
    take as many frames for a short clip as for a long one. `held_out` names a speaker, as a table or a data set says
    who speaks: all of that speaker's clips are tested on, and none is learnt from.
    """

    rate: Rate | None = None
    seconds: Annotated[float, Meta(gt=0, le=60)] | None = None
    fit: Literal["pad", "stretch"] = "pad"
    held_out: str | None = None


class LogMel(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A log-mel spectrogram as `whisper` or `kaldi` (which transformers' AST follows) computes it.

    `window`, `hop` and `fft` are in samples, `low` and `high` in Hz. A spectrogram is cut or padded to `frames`, or
    with `fit="stretch"` resampled to them over the clip's own length: a word takes as many frames, whoever says it.
    What comes out is `(x - mean) / std`.
    """

    style: Literal["whisper", "kaldi"]
    mels: Annotated[int, Meta(ge=1, le=1024)]
    window: _Samples
    hop: _Samples
    fft: _Samples
    low: Annotated[float, Meta(ge=0)] = 0.0
    high: Annotated[float, Meta(gt=0)] | None = None
    frames: Annotated[int, Meta(ge=1, le=1 << 20)] | None = None
    fit: Literal["pad", "stretch"] = "pad"
    mean: float = 0.0
    std: Annotated[float, Meta(gt=0)] = 1.0

    def __post_init__(self) -> None:
        if self.window > self.fft:
            raise ValueError(f"window={self.window} does not fit into fft={self.fft}")
        if self.fit == "stretch" and self.frames is None:
            raise ValueError("fit='stretch' needs frames")

    def counted(self, samples: int) -> int:
        """Return how many frames a sound of so many samples has before it is fitted."""
        if self.style == "whisper":
            return samples // self.hop
        return 1 + max(0, samples - self.window) // self.hop


class Sound(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Sounds of one channel at `rate`, floats in [-1, 1], cut or padded to `samples`; None takes them as they are.

    With `normalize` each has mean 0 and variance 1 over its own length. A model without `log_mel` takes the waves.
    """

    modality: ClassVar[str] = "audio"

    rate: Rate
    samples: _Samples | None = None
    normalize: bool = False
    log_mel: LogMel | None = None

    def record(self) -> "Sound":
        return self

    def write(self, folder: Path) -> None:
        """Write nothing: a sound needs no file beside the weights."""

    def model_arguments(self) -> dict[str, Any]:
        if self.log_mel is None:
            return {}
        frames = self.frames()
        return {"mels": self.log_mel.mels, **({} if frames is None else {"frames": frames})}

    def frames(self) -> int | None:
        """Return how many frames a model is given; None where that is as the clip is long."""
        if self.log_mel is None or self.log_mel.frames is not None or self.samples is None:
            return None if self.log_mel is None else self.log_mel.frames
        return self.log_mel.counted(self.samples)

    def example(self, count: int, random: "Generator") -> "dict[str, Tensor]":
        """Return what a model takes, (count, samples) or (count, mels, frames): no file, no spectrogram in between."""
        import torch

        if self.log_mel is None:
            return {"waves": torch.randn(count, self.samples or self.rate * _EXAMPLE_SECONDS, generator=random) / 8}
        frames = self.frames() or self.log_mel.counted(self.rate * _EXAMPLE_SECONDS)
        return {"log_mel": torch.randn(count, self.log_mel.mels, frames, generator=random)}

    def describe(self) -> str:
        length = "any length" if self.samples is None else f"{self.samples / self.rate:.2f} s"
        if self.log_mel is None:
            return f"Input: waves of {self.rate:,} Hz, {length}, floats in [-1, 1], shape (batch, samples)."
        frames = self.frames()
        return (
            f"Input: log-mel spectrograms of sound at {self.rate:,} Hz, shape "
            f"(batch, {self.log_mel.mels}, {'frames' if frames is None else frames})."
        )
