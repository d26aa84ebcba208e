"""Clips with what is known of each, and the data set that they become."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import zoo
from zoo_speech.cached import decoded
from zoo_speech.decoding import Recorded, Source, rate_of
from zoo_speech.sound import Sound

_LOOKED_AT = 50


@dataclass(frozen=True, kw_only=True)
class Clip:
    """One sound: its class, what is said in it, and who says it, as far as that is known."""

    source: Source
    label: str | None = None
    text: str | None = None
    speaker: str | None = None


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Sounds by split. `contents` is the sha256 over all of them and their order."""

    name: str
    source: str
    splits: Mapping[str, Sequence[Clip]]
    contents: str
    license: str = "unknown"

    @property
    def first(self) -> str:
        """The split that is learnt from, or where nothing is, the one that is scored."""
        return "train" if "train" in self.splits else next(iter(self.splits))

    def usual_rate(self) -> int:
        """Return the rate of most of the first clips."""
        counts = Counter(rate_of(clip.source) for clip in self.splits[self.first][:_LOOKED_AT])
        return counts.most_common(1)[0][0]

    def needed(self) -> "Clips":
        """Return the clips of the splits that are needed, with some to test on: see `zoo.with_test`."""
        return replace(self, splits=zoo.with_test(self.splits))

    def without(self, speaker: str) -> "Clips":
        """Return the clips with all of a speaker's to test on, and none of them to learn from."""
        every = [clip for clips in self.splits.values() for clip in clips]
        known = sorted({clip.speaker for clip in every if clip.speaker is not None})
        if speaker not in known:
            has = f"{', '.join(known[:10])}{' …' if known[10:] else ''}" if known else "it names no speakers"
            raise zoo.UsageError(f"held_out={speaker}: {self.source} has no such speaker; {has}")
        others = {
            name: [clip for clip in clips if clip.speaker != speaker]
            for name, clips in self.splits.items()
            if name != "test"
        }
        theirs = [clip for clip in every if clip.speaker == speaker]
        contents = hashlib.sha256(f"{self.contents} without {speaker}".encode()).hexdigest()
        return replace(self, splits={**others, "test": theirs}, contents=contents)


@dataclass(frozen=True, kw_only=True)
class SoundDataset(zoo.ArrayDataset):
    """Waves with labels, or with transcripts as the places of their characters among the classes, from 1 on."""

    def with_classes(self, classes: tuple[str, ...]) -> "SoundDataset":
        placed = super().with_classes(classes)
        places = np.array([0, *(classes.index(name) + 1 for name in self.classes)], np.int64)
        splits = {}
        for name, split in placed.splits.items():
            columns: dict[str, Any] = dict(split.columns)
            if isinstance(found := columns.get("transcripts"), zoo.Ragged):
                columns["transcripts"] = zoo.Ragged(places[found.values], found.starts)
            splits[name] = replace(split, columns=columns)
        return replace(placed, splits=splits)  # type: ignore[return-value]  # what replace returns is its first argument's


def contents_of(splits: Mapping[str, Sequence[Clip]], root: Path | None = None) -> str:
    """Return the sha256 over clips: names below `root`, contents, and what is known of each."""
    every = [clip for name in sorted(splits) for clip in splits[name]]
    hashes = zoo.common_hashes([clip.source for clip in every if isinstance(clip.source, Path)])
    digest = hashlib.sha256()
    for name in sorted(splits):
        for clip in splits[name]:
            if isinstance(clip.source, Path):
                place = str(clip.source if root is None else clip.source.relative_to(root))
                said = hashes[clip.source]
            elif isinstance(clip.source, Recorded):
                place, said = str(clip.source.rate), hashlib.sha256(clip.source.samples.tobytes()).hexdigest()
            else:
                place, said = clip.source.name, hashlib.sha256(clip.source.content).hexdigest()
            digest.update(json.dumps([name, place, said, clip.label, clip.text, clip.speaker]).encode())
    return digest.hexdigest()


def waves_of(clips: Clips, rate: int) -> dict[str, zoo.Ragged]:
    """Return the waves of each split at a rate."""
    return decoded(clips.contents, {name: [clip.source for clip in part] for name, part in clips.splits.items()}, rate)


def as_dataset(clips: Clips, waves: Mapping[str, zoo.Ragged], sound: Sound, learns_from: str | None) -> SoundDataset:
    """Return clips as they are learnt: with transcripts where those are learnt from, else with labels if they have."""
    every = [clip for part in clips.splits.values() for clip in part]
    transcribed = learns_from == "transcripts" and all(clip.text is not None for clip in every)
    labelled = not transcribed and all(clip.label is not None for clip in every)
    classes: tuple[str, ...] = ()
    if transcribed:
        classes = tuple(sorted({letter for clip in every for letter in clip.text or ""}))
    elif labelled:
        classes = tuple(sorted({clip.label for clip in every if clip.label is not None}))
    places = {name: place for place, name in enumerate(classes)}
    splits = {}
    for name, part in clips.splits.items():
        columns: dict[str, Any] = {"waves": waves[name]}
        if transcribed:
            rows = [[places[letter] + 1 for letter in clip.text or ""] for clip in part]
            columns["transcripts"] = zoo.Ragged.of(rows, np.int64)
        elif labelled:
            columns["labels"] = np.array([places[clip.label] for clip in part if clip.label is not None], np.int64)
        fixed = None if sound.samples is None else _Fixed(sound.samples)
        splits[name] = zoo.ArraySplit(columns, collate=fixed, by_length="waves" if fixed is None else None)
    form = json.dumps([clips.contents, classes, sound.rate, sound.samples])
    return SoundDataset(
        name=clips.name,
        source=clips.source,
        splits=splits,
        classes=classes,
        license=clips.license,
        fingerprint=hashlib.sha256(form.encode()).hexdigest(),
    )


@dataclass(frozen=True)
class _Fixed:
    """Cut the waves of a batch to their middle, or pad them behind."""

    samples: int

    def __call__(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        waves, lengths = fixed(batch["waves"], batch["waves_lengths"], self.samples)
        return {**batch, "waves": waves, "waves_lengths": lengths}


def fixed(waves: Tensor, lengths: Tensor, samples: int) -> tuple[Tensor, Tensor]:
    """Return waves of this many samples: of longer ones the middle, behind shorter ones silence."""
    longest = waves.shape[1]
    if longest <= samples:
        return torch.nn.functional.pad(waves, (0, samples - longest)), lengths
    starts = (lengths - samples).clamp(min=0) // 2
    places = starts[:, None] + torch.arange(samples)
    return waves.gather(1, places), lengths.clamp(max=samples)
