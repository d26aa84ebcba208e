"""Sounds: read from folders of wave files, or made."""

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import zoo
from zoo_tones.sound import Sound, floats

CLASSES = ("sawtooth", "sine", "square")
_RATE, _SAMPLES, _TEST_SHARE = 8000, 400, 5
Wave = tuple[NDArray[np.int16], int]
"""Samples of one channel, and how many there are a second."""


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Sounds as they were recorded, by split, with the place of each one's class where it has one."""

    name: str
    source: str
    waves: dict[str, list[Wave]]
    labels: dict[str, list[int]]
    classes: tuple[str, ...] = ()
    license: str = "unknown"


def tones(data_dir: Path | None) -> Clips:
    """Make the data set `tones`, always the same."""
    random = np.random.default_rng(0)
    waves: dict[str, list[Wave]] = {}
    labels = {split: [place % len(CLASSES) for place in range(n)] for split, n in (("train", 240), ("test", 60))}
    for split, places in labels.items():
        waves[split] = [(_tone(CLASSES[place], random), _RATE) for place in places]
    return Clips(name="tones", source="tones", waves=waves, labels=labels, classes=CLASSES, license="CC0-1.0")


def open_clips(folder: Path) -> Clips:
    """Open `<class>/*.wav`, or wave files without classes; of each class every fifth is kept to test on."""
    paths = sorted(folder.glob("*/*.wav")) or sorted(folder.glob("*.wav"))
    if not paths:
        raise zoo.DataError(f"no wave files in {folder}; put them there, labelled ones as {folder}/<class>/*.wav")
    classes = tuple(sorted({path.parent.name for path in paths if path.parent != folder}))
    waves: dict[str, list[Wave]] = {"train": [], "test": []}
    labels: dict[str, list[int]] = {"train": [], "test": []}
    for name in classes or (folder.name,):
        for place, path in enumerate(path for path in paths if path.parent.name == name):
            split = "test" if place % _TEST_SHARE == 0 else "train"
            waves[split].append(read_wave(path))
            labels[split] += [classes.index(name)] if classes else []
    return Clips(name=folder.resolve().name, source=str(folder), waves=waves, labels=labels, classes=classes)


def wave_files(arguments: Sequence[str]) -> list[Path]:
    """Return the files that were typed, and those in folders."""
    typed = [Path(argument) for argument in arguments]
    paths = [path for some in typed for path in (sorted(some.rglob("*.wav")) if some.is_dir() else [some])]
    if not paths:
        raise zoo.DataError(f"no wave files in {', '.join(arguments)}; name some, or a folder that holds some")
    return paths


def read_wave(path: Path) -> Wave:
    """Read a wave file. Raise DataError for one that is none, or not of 16 bits."""
    try:
        with wave.open(str(path)) as file:
            channels, width, rate, *_ = file.getparams()
            content = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise zoo.DataError(f"{path} is no wave file: {error or 'it ends at once'}; remove it") from None
    except OSError as error:
        raise zoo.DataError(f"{path} cannot be read: {error.strerror}; check it") from None
    if width != 2:
        raise zoo.DataError(f"{path} has {8 * width} bits a sample; convert it to 16")
    both = np.frombuffer(content, "<i2")
    return both[: len(both) // channels * channels].reshape(-1, channels).mean(1).astype(np.int16), rate


def as_inputs(waves: Sequence[Wave], inputs: Sound) -> NDArray[np.int16]:
    """Return sounds in one rate and length, (sounds, samples)."""
    found = np.zeros((len(waves), inputs.samples), np.int16)
    for row, (samples, rate) in zip(found, waves, strict=True):
        wanted = np.arange(0, len(samples), rate / inputs.rate)[: inputs.samples]
        row[: len(wanted)] = np.interp(wanted, np.arange(len(samples)), samples)
    return found


def as_dataset(clips: Clips, inputs: Sound) -> zoo.ArrayDataset:
    """Return sounds as the model takes them."""
    splits = {}
    for split, waves in clips.waves.items():
        columns: dict[str, Any] = {"sounds": as_inputs(waves, inputs)}
        if clips.classes:
            columns["labels"] = np.array(clips.labels[split], np.int64)
        splits[split] = zoo.ArraySplit(columns, collate=_as_floats)
    return zoo.ArrayDataset(
        name=clips.name, splits=splits, source=clips.source, classes=clips.classes, license=clips.license
    )


def _as_floats(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {**batch, "sounds": floats(batch["sounds"], torch.zeros(()))}


def _tone(kind: str, random: np.random.Generator) -> NDArray[np.int16]:
    turns = random.uniform(300, 600) * np.arange(_SAMPLES) / _RATE + random.uniform()
    sine = np.sin(2 * np.pi * turns)
    shapes = {"sine": sine, "square": np.sign(sine) * 0.7, "sawtooth": 2 * (turns % 1) - 1}
    loud = random.uniform(0.5, 0.9) * shapes[kind] + random.normal(0, 0.03, _SAMPLES)
    return (np.clip(loud, -1, 1) * 32767).astype(np.int16)
