"""A run folder: run.json, recipe.toml, metrics.jsonl, checkpoints/, pictures/, weights/."""

import json
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from zoo.engine.snapshot import identity_of
from zoo.engine.tracking import Tracker
from zoo.errors import IntegrityError, NotFoundError, TrainingError, UsageError
from zoo.files import storage_errors, write_file
from zoo.hub.lease import Held, Lease
from zoo.registry.recipe_settings import current_settings
from zoo.strict_json import parse_json

RECORD = "training.json"
"""run.json under the name that it has beside exported weights, which are no run."""

_LEASE = ".lease"

_DECIDING = ("kind", "model", "arguments", "recipe", "settings", "task", "data", "weights", "labels")
"""What a resumed run must agree in; environment and command may differ."""

_log = logging.getLogger("zoo")


class Run:
    """One run's folder. Made by `create` or `resume`; of several processes only the first writes into it."""

    def __init__(self, folder: Path, resolved: dict[str, Any], *, main: bool = True, override: bool = False) -> None:
        self.folder = folder
        self.resolved = resolved
        self.main = main
        self.override = override
        self.identity = identity_of(resolved, _DECIDING)
        self.checkpoints = folder / "checkpoints"
        self.pictures = folder / "pictures"
        self.metrics = folder / "metrics.jsonl"
        self.trackers: Sequence[Tracker] = ()
        self.lease: Lease | None = None
        self.begun = False
        """Whether the loop has taken over, with every tracker started."""
        self._step = 0

    @classmethod
    def create(cls, folder: Path, *, resolved: dict[str, Any], force: bool = False, main: bool = True) -> "Run":
        """Make a new run folder. Raise UsageError when it exists, unless `force` may replace it: only ever a run."""
        run = cls(folder, resolved, main=main)
        if not main:
            return run
        cls.check_free(folder, force=force)
        with storage_errors(f"removing {folder}"):
            for path in folder.iterdir() if folder.is_dir() else ():
                if path.name != _LEASE:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        with storage_errors(f"making run folder {folder}"):
            for part in (run.checkpoints, run.pictures):
                part.mkdir(parents=True, exist_ok=True)
            write_file(folder / "run.json", json.dumps(resolved, indent=1).encode() + b"\n")
        return run

    @staticmethod
    def check_free(folder: Path, *, force: bool = False) -> None:
        """Raise UsageError unless a run can begin in a folder: it has nothing of worth, or a run that may be replaced.

        What a run left that was cut off at its start, before its run.json, is nothing of worth.
        """
        if not folder.exists() or (folder.is_dir() and all(_only_begun(path) for path in folder.iterdir())):
            return
        if not (folder / "run.json").is_file():
            raise UsageError(f"{folder} exists and is no run, which is never replaced; choose another --out")
        if not force:
            raise UsageError(
                f"{folder} exists; continue with --resume, start over with --force, or choose another --out"
            )

    @staticmethod
    @contextmanager
    def held(folder: Path) -> Iterator[Lease]:
        """Keep other processes from training in a folder. Raise TrainingError, naming it, where one already does."""
        with ExitStack() as stack:
            try:
                with storage_errors(f"making run folder {folder}"):
                    lease = stack.enter_context(Lease(folder / _LEASE, wait=False))
            except Held as holder:
                raise TrainingError(
                    f"{folder} is being trained by {holder}; wait until it ends, stop it, or choose another --out"
                ) from None
            yield lease

    @classmethod
    def resume(cls, folder: Path, resolved: dict[str, Any], *, override: bool = False, main: bool = True) -> "Run":
        """Open a run to go on with.

        Raise IntegrityError, showing the difference, when it was started otherwise; with `override` that is a warning,
        and the run goes on as it is asked for now.
        """
        path, old = folder / "run.json", cls.recorded(folder)
        differences = _differences(
            {key: _current(old).get(key) for key in _DECIDING}, {key: resolved.get(key) for key in _DECIDING}
        )
        if differences:
            shown = ", ".join(differences[:5]) + (", …" if len(differences) > 5 else "")
            if not override:
                raise IntegrityError(
                    f"{folder} has other settings: {shown}; resume with the same, accept it with --override, "
                    "or start over with --force"
                )
            if main:
                _log.warning("%s resumes with changed settings: %s", folder, shown)
                write_file(path, json.dumps(resolved, indent=1).encode() + b"\n")
        run = cls(folder, resolved, main=main, override=override)
        if not differences:
            run.identity = identity_of(old, _DECIDING)  # checkpoints say it in the names of their time
        return run

    @staticmethod
    def recorded(folder: Path) -> dict[str, Any]:
        """Return what a run was started with. Raise NotFoundError where there is none."""
        path = folder / "run.json"
        if not path.is_file():
            raise NotFoundError(f"no run in {folder} to resume; omit --resume to start one")
        return parse_json(path.read_bytes(), str(path))

    def check_identity(self, found: Any, source: str) -> None:
        """Raise IntegrityError when a checkpoint is of another recipe or of other data, unless that was overridden."""
        if not isinstance(found, dict):
            raise IntegrityError(f"{source} does not say which run it belongs to; start over with --force")
        names = {"recipe": "recipe or settings", "data": "data"}
        other = [what for key, what in names.items() if found.get(key) != self.identity[key]]
        if other and not self.override:
            raise IntegrityError(
                f"{source} was written with other {' and other '.join(other)}; resume with the same, or accept it "
                "with --override"
            )

    def write_recipe(self, text: str) -> None:
        """Keep the recipe's settings as TOML."""
        if not self.main:
            return
        with storage_errors(f"writing {self.folder}/recipe.toml"):
            write_file(self.folder / "recipe.toml", text.encode())

    def begin(self, step: int) -> None:
        """Tell the trackers that the run goes on from a step, 0 for a new one."""
        self._step = step
        for tracker in self.trackers:
            tracker.start(self.folder, self.resolved, step)
        self.begun = True

    def log(self, metrics: dict[str, Any]) -> None:
        """Append a line to metrics.jsonl, and tell the trackers."""
        if not self.main:
            return
        if self.lease is not None and not self.lease.held():
            raise TrainingError(
                f"another process took over {self.folder} while this one was suspended; leave the run to it"
            )
        if metrics["event"] != "checkpoint":
            self._step = metrics.get("step", self._step)
            numbers = {name: value for name, value in metrics.items() if isinstance(value, float)}
            for tracker in self.trackers:
                tracker.log(metrics["event"], self._step, numbers)
        with storage_errors(f"writing {self.metrics}"), open(self.metrics, "a", encoding="utf-8") as file:
            file.write(json.dumps(metrics) + "\n")

    def end(self, pictures: Sequence[Path] = ()) -> None:
        """Show the trackers what the run has drawn, and let them go."""
        trackers, self.trackers = self.trackers, ()
        for tracker in trackers:
            for picture in pictures:
                tracker.picture(picture, self._step)
            tracker.close()

    def note_checkpoint(self, path: Path, step: int) -> None:
        """Acknowledge a checkpoint that is on disk, whole."""
        self.log({"event": "checkpoint", "step": step, "name": path.name})

    def rewind(self, step: int) -> None:
        """Drop the lines of metrics.jsonl that come after the checkpoint of a step: a resumed run writes them again.

        The scores of that very step are among them.
        """
        if not self.main or not self.metrics.is_file():
            return
        kept = []
        for line in self.metrics.read_bytes().splitlines():
            try:
                metrics = json.loads(line)
            except ValueError:
                continue  # the line that a kill cut off
            again = metrics.get("event") in ("validation", "test")
            if metrics.get("step", step + 1) <= step - again:
                kept.append(line + b"\n")
        write_file(self.metrics, b"".join(kept))


def _only_begun(path: Path) -> bool:
    """Tell whether this is all that is made of a run before its run.json."""
    if path.name in ("checkpoints", "pictures"):
        return path.is_dir() and not any(path.iterdir())
    return path.name == _LEASE or (path.name.startswith(".run.json.") and path.suffix == ".tmp")


def _differences(old: Any, new: Any, path: str = "") -> list[str]:
    new = json.loads(json.dumps(new)) if not path else new
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*old, *new})
        found = [_differences(old.get(key), new.get(key), f"{path}.{key}" if path else key) for key in keys]
        return [item for part in found for item in part]
    return [] if old == new else [f"{path} {old!r} -> {new!r}"]


def _current(record: dict[str, Any]) -> dict[str, Any]:
    """Return what run.json keeps, its settings by their present names."""
    settings, recipe = record.get("settings"), record.get("recipe")
    if not isinstance(settings, dict) or not isinstance(recipe, str):
        return record
    return {**record, "settings": current_settings(recipe, settings)}
