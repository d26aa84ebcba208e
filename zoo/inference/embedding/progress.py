"""Show how many samples are done: a tqdm bar at a terminal, a plain line now and then elsewhere."""

import sys
import time
from typing import Any

_EVERY_SECONDS = 10.0


class SampleProgress:
    """Counts samples, on stderr."""

    def __init__(self, total: int, unit: str) -> None:
        self._total, self._unit = total, unit
        self._done = 0
        self._started = self._said = time.monotonic()
        self._bar: Any = None
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=unit, file=sys.stderr, leave=False)

    def __call__(self, count: int) -> None:
        """Count samples that are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._said > _EVERY_SECONDS and self._done < self._total:
            self._said = time.monotonic()
            pace = self._done / (self._said - self._started)
            left = (self._total - self._done) / pace
            line = f"{self._done:,} of {self._total:,} {self._unit}  {pace:,.0f} {self._unit}/s  left {left:.0f} s"
            print(line, file=sys.stderr, flush=True)

    def __enter__(self) -> "SampleProgress":
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
