"""Show how far training is: a tqdm bar at a terminal, one plain line an epoch elsewhere."""

import sys
import time
from typing import Any

from zoo.printable import printable


class Progress:
    """A bar over the steps of a run, on stderr. Not enabled, it says nothing."""

    def __init__(self, *, enabled: bool, title: str, unit: str = "img") -> None:
        self.enabled = enabled
        self.title = printable(title)
        self.unit = unit
        self._bar: Any = None
        self._started = (0.0, 0)

    def start(self, step: int, total_steps: int, samples_per_step: int) -> None:
        """Begin at a step, which is not 0 in a resumed run."""
        self._samples = samples_per_step
        self._total = total_steps
        self._started = (time.perf_counter(), step)
        if self.enabled and sys.stderr.isatty():
            from tqdm import tqdm

            form = "{desc} {percentage:3.0f}% {bar} {postfix} left {remaining}"
            self._bar = tqdm(total=total_steps, initial=step, bar_format=form, file=sys.stderr, leave=False)

    def update(self, step: int, epoch: str, loss: float) -> None:
        """Show the state after a step."""
        if self._bar is not None:
            self._bar.set_description_str(f"{self.title} · epoch {epoch}", refresh=False)
            self._bar.set_postfix_str(f"{self._rate(step)} {self.unit}/s  train loss {loss:.4f}", refresh=False)
            self._bar.update(step - self._bar.n)

    def epoch(self, step: int, epoch: str, loss: float, split: str, scores: dict[str, float]) -> None:
        """Say what an epoch came to: the loss that was learnt by, and the scores of a split."""
        if self.enabled and self._bar is None:
            seconds = time.perf_counter() - self._started[0]
            left = seconds / max(1, step - self._started[1]) * (self._total - step)
            shown = "  ".join(f"{name} {value:.4g}" for name, value in scores.items())
            parts = (
                f"{self.title} · epoch {epoch}  {self._rate(step)} {self.unit}/s",
                f"train loss {loss:.4f}",
                *([f"{split} {shown}"] if shown else []),
                f"left {left:.0f} s",
            )
            print(" · ".join(parts), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _rate(self, step: int) -> str:
        begin, first = self._started
        return f"{(step - first) * self._samples / max(1e-9, time.perf_counter() - begin):,.0f}"
