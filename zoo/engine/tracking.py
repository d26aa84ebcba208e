"""Tell other programs how a run goes: TensorBoard, or whatever keeps the `Tracker` protocol."""

import difflib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from zoo.errors import PluginError, UsageError
from zoo.extras import require
from zoo.redaction import remember
from zoo.registry.registry import default_registry
from zoo.specs.named import load_target

_METHODS = ("start", "log", "picture", "close")
_log = logging.getLogger("zoo")


class Tracker(Protocol):
    """What `--track` asks of a tracker. No base class: an object with these methods is one.

    Of several processes only the first has trackers. Whatever a tracker raises after `start` is said once, and the run
    goes on without it.
    """

    def start(self, folder: Path, resolved: Mapping[str, Any], step: int) -> None:
        """Begin with a run: its folder, what run.json holds, and the step it goes on from, 0 for a new one.

        What was logged for later steps is logged again.
        """
        ...

    def log(self, event: str, step: int, metrics: Mapping[str, float]) -> None:
        """Take figures after a step. `event` is `train`, `validation` or `test`."""
        ...

    def picture(self, path: Path, step: int) -> None:
        """Take a PNG file that lies in the run folder."""
        ...

    def close(self) -> None:
        """Write out what is left. Called once, when the run ends or is interrupted."""
        ...


class TensorBoard:
    """Write event files to `tensorboard/` in the run folder: `tensorboard --logdir RUN` shows them."""

    def __init__(self) -> None:
        require("--track tensorboard", "tensorboard")
        from torch.utils.tensorboard import SummaryWriter

        self._writer_type = SummaryWriter

    def start(self, folder: Path, resolved: Mapping[str, Any], step: int) -> None:
        # TensorBoard forgets what an interrupted run logged after the step that this one goes on from
        self._writer = self._writer_type(str(folder / "tensorboard"), purge_step=step + 1 if step else None)
        if not step:
            self._writer.add_text("run", f"```json\n{json.dumps(resolved, indent=1)}\n```")

    def log(self, event: str, step: int, metrics: Mapping[str, float]) -> None:
        for name, value in metrics.items():
            self._writer.add_scalar(f"{name}/{event}", value, step)

    def picture(self, path: Path, step: int) -> None:
        import numpy as np
        from PIL import Image

        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        self._writer.add_image(path.stem, pixels, step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


def make_trackers(names: Sequence[str]) -> list[Tracker]:
    """Return a tracker for each name that a plugin offers, or `package.module:attribute` of a callable that makes one.

    Raise UsageError for a name that is neither, and PluginError where what it names fails or makes no tracker.
    """
    return [_Guarded(name, _make(name)) for name in dict.fromkeys(names)]


def _make(name: str) -> Tracker:
    target = name
    if ":" not in name:
        known = {offer.spec.name: offer.spec for offer in default_registry().offers("trackers")}
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}."
            raise UsageError(f"no tracker {name!r}; {hint} Give one of your own as --track package.module:attribute")
        target = known[name].target
        for variable in known[name].secrets:
            remember(os.environ.get(variable, ""))
    try:
        tracker: Tracker = load_target(target)()
    except UsageError:
        raise
    except Exception as error:
        raise PluginError(
            f"tracker {name!r} failed: {type(error).__name__}: {error}; --track takes package.module:attribute, "
            "a callable without arguments that can be imported"
        ) from error
    missing = [method for method in _METHODS if not callable(getattr(tracker, method, None))]
    if missing:
        raise PluginError(f"tracker {name!r} makes a {type(tracker).__name__} without {', '.join(missing)}; add them")
    return tracker


class _Guarded:
    """Keep a tracker from ending a run: once it has started, what it raises is a warning, and it is left alone."""

    def __init__(self, name: str, tracker: Tracker) -> None:
        self._name = name
        self._waiting = tracker
        self._tracker: Tracker | None = None
        """None before it has started, once it has failed, and when it is closed."""

    def start(self, folder: Path, resolved: Mapping[str, Any], step: int) -> None:
        try:
            self._waiting.start(folder, resolved, step)
            self._tracker = self._waiting
        except Exception as error:
            raise PluginError(
                f"tracker {self._name!r} failed to start: {type(error).__name__}: {error}; omit --track to train "
                "without it"
            ) from error

    def log(self, event: str, step: int, metrics: Mapping[str, float]) -> None:
        self._call("log", event, step, metrics)

    def picture(self, path: Path, step: int) -> None:
        self._call("picture", path, step)

    def close(self) -> None:
        self._call("close")
        self._tracker = None

    def _call(self, method: str, *arguments: Any) -> None:
        if self._tracker is None:
            return
        try:
            getattr(self._tracker, method)(*arguments)
        except Exception as error:
            self._tracker = None
            _log.warning(
                "tracker %r failed: %s: %s; the run continues without it", self._name, type(error).__name__, error
            )
