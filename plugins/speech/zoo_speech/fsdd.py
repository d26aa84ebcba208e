"""The Free Spoken Digit Dataset, and strings of digits made of it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import zoo
from zoo_speech.clips import Clip, Clips, contents_of
from zoo_speech.decoding import Recorded, as_16_bits, read

_FOLDERS = ("fsdd/recordings", "recordings", "free-spoken-digit-dataset/recordings")
_TEST = 5
"""Recordings below this number are tested on, as the data set's authors say."""
_RATE = 8000
_LICENSE = "CC-BY-SA-4.0"
_WORDS = "zero one two three four five six seven eight nine".split()
_SHORTEST, _LONGEST = 2, 6
_PAUSE = (0.05, 0.25)
_STRINGS = {"train": 2000, "test": 300}


def fsdd(data_dir: Path | None) -> Clips:
    """Open the recordings: digits 0 to 9 by six speakers."""
    root, splits = _recordings("fsdd", data_dir)
    return Clips(name="fsdd", source=str(root), splits=splits, contents=contents_of(splits, root), license=_LICENSE)


def fsdd_strings(data_dir: Path | None) -> Clips:
    """Make strings of 2 to 6 digits, each of one speaker, by a seed: those to test on of recordings not trained on."""
    root, recordings = _recordings("fsdd_strings", data_dir)
    splits = {name: _strings(recordings[name], count, name) for name, count in _STRINGS.items() if name in recordings}
    return Clips(name="fsdd_strings", source=str(root), splits=splits, contents=contents_of(splits), license=_LICENSE)


def _recordings(name: str, data_dir: Path | None) -> tuple[Path, dict[str, list[Clip]]]:
    places = zoo.search_path(data_dir, _FOLDERS)
    root = next((place for place in places if any(place.glob("[0-9]_*_[0-9]*.wav"))), None)
    if root is None:
        raise zoo.DataError(f"{zoo.not_found(name, data_dir, _FOLDERS)}; get its recordings and pass --data-dir FOLDER")
    found: dict[str, list[Clip]] = {"train": [], "test": []}
    for path in zoo.files_below(root, (".wav",)):
        digit, speaker, number = path.stem.split("_")
        split = "test" if int(number) < _TEST else "train"
        found[split].append(Clip(source=path, label=digit, text=_WORDS[int(digit)], speaker=speaker))
    return root, found


def _strings(recordings: Sequence[Clip], count: int, split: str) -> list[Clip]:
    random = np.random.default_rng([0, *split.encode()])
    waves = {clip: read(clip.source, _RATE) for clip in recordings}
    spoken: Mapping[str | None, list[Clip]] = {}
    by_speaker = dict(spoken)
    for clip in recordings:
        by_speaker.setdefault(clip.speaker, []).append(clip)
    speakers = sorted(by_speaker, key=str)
    found = []
    for number in range(count):
        speaker = speakers[number % len(speakers)]
        length = int(random.integers(_SHORTEST, _LONGEST + 1))
        chosen = [by_speaker[speaker][int(place)] for place in random.integers(0, len(by_speaker[speaker]), length)]
        pieces = []
        for clip in chosen:
            pieces += [np.zeros(int(_RATE * random.uniform(*_PAUSE)), np.float32), waves[clip]]
        samples = as_16_bits(np.concatenate([*pieces, np.zeros(int(_RATE * _PAUSE[0]), np.float32)]))
        text = " ".join(clip.text or "" for clip in chosen)
        source = Recorded(f"fsdd_strings {split} {number}", samples, _RATE)
        found.append(Clip(source=source, text=text, speaker=speaker))
    return found
