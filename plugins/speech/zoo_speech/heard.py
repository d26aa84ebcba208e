"""What a loaded model is given of any sound that a user has: files, bytes of files, samples with their rate."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import zoo
from zoo_speech.clips import fixed
from zoo_speech.decoding import SUFFIXES, Recorded, Samples, Source, read
from zoo_speech.features import as_inputs
from zoo_speech.sound import Sound

Heard: TypeAlias = "str | Path | NDArray[Any] | Tensor | Source"


def sound_of(loaded: zoo.Loaded) -> Sound:
    """Return the sounds that weights take. Raise UsageError where they do not say."""
    if loaded.description.inputs is None:
        raise zoo.UsageError("these weights do not say which sounds they take; add `inputs` to their config.json")
    inputs: Sound = loaded.description.inputs.values
    return inputs


def typed_source(path: Path, rate: int | None) -> Source:
    """Return a file that was typed; with a rate it has no head, but samples of 16 bits of one channel alone."""
    if rate is None:
        return path
    if rate < 1:
        raise zoo.UsageError(f"rate={rate}; give the samples a second of files without a head, 1 or more")
    if path.suffix in SUFFIXES:
        raise zoo.UsageError(f"{path} says its rate itself; leave out rate={rate}, which is for files without a head")
    try:
        samples = np.fromfile(path, "<i2")
    except OSError as error:
        raise zoo.DataError(f"{path} cannot be read: {error.strerror}; check it") from None
    return Recorded(str(path), samples.astype(np.int16), rate)


def source_of(item: Any, rate: int | None) -> Source:
    """Return a sound to be read. Raise UsageError for samples whose rate was not said, or that are no wave."""
    if isinstance(item, (str, Path)):
        return Path(item)
    if isinstance(item, (np.ndarray, Tensor)):
        samples = item.detach().cpu().numpy() if isinstance(item, Tensor) else item
        if rate is None or rate < 1:
            raise zoo.UsageError("samples have no rate of their own; give one: predict(samples, rate=16_000)")
        if samples.ndim != 1 or samples.dtype.kind not in "fi" or (samples.dtype.kind == "i" and samples.itemsize != 2):
            raise zoo.UsageError(
                f"samples of {samples.dtype} and shape {samples.shape}; give one channel of floats in [-1, 1] or int16"
            )
        return Recorded("this array", samples, rate)
    source: Source = item
    return source


def listed(items: Any) -> list[Any]:
    """Return several items as a list, and one as a list of one."""
    if isinstance(items, (str, Path, np.ndarray, Tensor)) or not isinstance(items, Sequence):
        return [items]
    return list(items)


def sound_files(arguments: Sequence[str]) -> list[Path]:
    """Return the files that were typed, and those in folders."""
    typed = [Path(argument) for argument in arguments]
    paths = [path for some in typed for path in (zoo.files_below(some, SUFFIXES) if some.is_dir() else [some])]
    if not paths:
        raise zoo.DataError(f"no sound files in {', '.join(arguments)}; name some, or a folder that holds some")
    if not any(path.exists() for path in paths):
        raise zoo.NotFoundError(f"no sound {paths[0]}; check the path")
    return paths


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return the names of what is written: those of files, with a number where one is taken."""
    found: list[str] = []
    taken = set()
    for path in paths:
        name, number = path.stem, 1
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}"
        taken.add(name)
        found.append(name)
    return found


def batched(
    items: Sequence[Source], sound: Sound, batch_size: int, like: Tensor
) -> Iterator[tuple[list[Samples], Tensor, Tensor]]:
    """Yield sounds as they were read, as a model takes them, and how many samples each has in that."""
    for start in range(0, len(items), batch_size):
        waves = [read(item, sound.rate) for item in items[start : start + batch_size]]
        lengths = torch.tensor([len(wave) for wave in waves])
        rows = torch.zeros(len(waves), int(lengths.max()))
        for row, wave in zip(rows, waves, strict=True):
            row[: len(wave)] = torch.from_numpy(wave)
        if sound.samples is not None:
            rows, lengths = fixed(rows, lengths, sound.samples)
        rows, on_device = rows.to(like.device), lengths.to(like.device)
        yield waves, as_inputs(rows, on_device, sound).to(like.dtype), on_device
