"""What the parts share: their arguments, their results, a clock that waits for the GPU, and turns."""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Part:
    """The part that this process runs; what it notes is on disk at once."""

    def __init__(self, summary: str | None) -> None:
        parser = argparse.ArgumentParser(description=summary)
        parser.add_argument("out", type=Path)
        parser.add_argument("--tiny", action="store_true")
        chosen = parser.parse_args()
        self.out: Path = chosen.out
        self.tiny: bool = chosen.tiny
        self.found: dict[str, Any] = {}
        self._latest = time.monotonic() + float(os.environ.get("GPU_SECONDS", "inf"))

    @property
    def left(self) -> float:
        """How many seconds there are for what comes."""
        return self._latest - time.monotonic()

    def note(self, name: str, values: Mapping[str, Any]) -> None:
        """Keep what was found."""
        self.found[name] = dict(values)
        self.out.write_text(json.dumps(self.found))


def seconds(run: Callable[[], Any]) -> float:
    """Return how long a run takes until the GPU has done it."""
    _wait()
    start = time.perf_counter()
    run()
    _wait()
    return time.perf_counter() - start


def in_turn(sides: Mapping[str, Callable[[], Any]], turns: int) -> dict[str, Any]:
    """Let sides take turns in an order that turns itself; return medians, and how many times as fast the first is."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(turns):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            times[name].append(seconds(sides[name]))
    ours = times[names[0]]
    found: dict[str, Any] = {name: {"ms": round(1000 * statistics.median(taken), 3)} for name, taken in times.items()}
    for name in names[1:]:
        ratios = [other / mine for mine, other in zip(ours, times[name], strict=True)]
        found[name][f"{names[0]}_is_times_as_fast"] = {
            "median": round(statistics.median(ratios), 3),
            "from": round(min(ratios), 3),
            "to": round(max(ratios), 3),
        }
    return found


def _wait() -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()
