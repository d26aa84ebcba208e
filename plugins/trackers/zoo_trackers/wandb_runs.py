"""`--track wandb`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo_trackers.remembering import known_run, library, remember_run


class WandB:
    """Log to Weights & Biases; by WANDB_MODE=offline into files in the run folder. Keeps zoo.Tracker."""

    def __init__(self) -> None:
        self._library = library("wandb")

    def start(self, folder: Path, resolved: Mapping[str, Any], step: int) -> None:
        """Begin a run, or go on with the one that the folder began."""
        quiet = self._library.Settings(
            silent=True, console="off", disable_git=True, disable_code=True, x_disable_meta=True, save_code=False
        )
        known = known_run(folder, "wandb", step)
        self._run = self._library.init(
            project=os.environ.get("WANDB_PROJECT") or "zoo",
            dir=str(folder),
            name=folder.name,
            id=known,
            resume="allow" if known else None,
            config=dict(resolved),
            settings=quiet,
        )
        remember_run(folder, "wandb", self._run.id)
        self._run.define_metric("step")
        self._run.define_metric("*", step_metric="step")

    def log(self, event: str, step: int, metrics: Mapping[str, float]) -> None:
        """Log figures as EVENT/NAME, against our step: theirs never goes back, and that of a resumed run may."""
        if metrics:
            self._run.log({"step": step, **{f"{event}/{name}": value for name, value in metrics.items()}})

    def picture(self, path: Path, step: int) -> None:
        """Log a picture."""
        self._run.log({"step": step, path.stem: self._library.Image(str(path))})

    def close(self) -> None:
        """Write out what is left."""
        self._run.finish()
