"""Sounds decoded once, kept as memory maps of 16 bits under the hash of what they were made from."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

import zoo
from zoo_speech.decoding import Source, read_16_bits

_READ = "1"
"""How sounds are read; what was cached when they were read otherwise is not looked at."""
_AT_ONCE = 256


def decoded(key: str, parts: Mapping[str, Sequence[Source]], rate: int) -> dict[str, zoo.Ragged]:
    """Return the waves of each split, decoded by threads into the cache unless they are there."""
    folder = zoo.cache_folder() / "audio" / f"{key}-{rate}-{_READ}"
    with zoo.storage_errors(f"caching sounds in {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):  # of several processes that start at once, one decodes
            found = _opened(folder, parts)
            if found is None:
                with zoo.new_folder(folder) as temporary:
                    for split, sources in parts.items():
                        _write(temporary, split, sources, rate)
                found = _opened(folder, parts)
    assert found is not None
    return found


def _write(folder: Path, split: str, sources: Sequence[Source], rate: int) -> None:
    lengths = [0]
    with open(folder / f"{split}.waves", "wb") as file:
        for wave in _waves(sources, rate):
            file.write(wave.data)
            lengths.append(len(wave))
    np.save(folder / f"{split}.npy", np.cumsum(lengths, dtype=np.int64))


def _waves(sources: Sequence[Source], rate: int) -> Iterator[NDArray[np.int16]]:
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(sources), _AT_ONCE):
            yield from pool.map(lambda source: read_16_bits(source, rate), sources[start : start + _AT_ONCE])


def _opened(folder: Path, parts: Mapping[str, Sequence[Source]]) -> dict[str, zoo.Ragged] | None:
    """Return what is kept, or None where it is not there, or not whole."""
    found = {}
    for split, sources in parts.items():
        try:
            starts = np.load(folder / f"{split}.npy", allow_pickle=False)
            waves = np.memmap(folder / f"{split}.waves", np.int16, mode="r")
        except (OSError, ValueError):
            return None
        if len(starts) != len(sources) + 1 or starts[-1] != len(waves):
            return None
        found[split] = zoo.Ragged(waves, starts)
    return found
