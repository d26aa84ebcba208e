"""Measure how fast clips are opened, the first time and again, beside soundfile's own pace on as many threads.

    ZOO_CACHE=… python plugins/speech/benchmarks/opening.py FOLDER [--clips 10000]

FOLDER holds sound files, which are taken again and again. Turns of both alternate, and the best of three counts.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import soundfile
from zoo_speech.cached import decoded
from zoo_speech.decoding import SUFFIXES

import zoo


def seconds(function: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def plain(paths: list[Path]) -> int:
    """Read files by soundfile alone, by threads."""
    with ThreadPoolExecutor() as pool:
        return sum(len(samples) for samples, _ in pool.map(lambda path: soundfile.read(path, dtype="int16"), paths))


def main() -> None:
    """Print both paces."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=10_000)
    asked = parser.parse_args()
    files = zoo.files_below(asked.folder, SUFFIXES)
    paths = [files[place % len(files)] for place in range(asked.clips)]
    rate = soundfile.info(files[0]).samplerate
    first, again, theirs = [], [], []
    for turn in range(3):
        key = f"benchmark-{Path(tempfile.mkdtemp()).name}-{turn}"
        first.append(seconds(lambda key=key: decoded(key, {"train": paths}, rate)))
        theirs.append(seconds(lambda: plain(paths)))
        again.append(seconds(lambda key=key: decoded(key, {"train": paths}, rate)))
    print(f"soundfile {len(paths) / min(theirs):,.0f} clips/s")
    print(f"first     {len(paths) / min(first):,.0f} clips/s, {min(theirs) / min(first):.2f} of soundfile's")
    print(f"again     {min(again) / min(first):.4f} of the first time")


if __name__ == "__main__":
    main()
