"""`--track mlflow`."""

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo_trackers.remembering import flat, known_run, library, remember_run

_PARAMETERS = ("model", "recipe", "task", "data", "arguments", "settings")
_AT_ONCE = 100
_LONGEST = 500
"""What a server takes: so many parameters at once, and so many characters of one."""


class MLflow:
    """Log to whatever MLFLOW_TRACKING_URI names. Keeps zoo.Tracker."""

    def __init__(self) -> None:
        library("mlflow")
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        self._metric, self._parameter, self._client_type = Metric, Param, MlflowClient

    def start(self, folder: Path, resolved: Mapping[str, Any], step: int) -> None:
        """Begin a run, or go on with the one that the folder began."""
        self._client = self._client_type()
        if (known := known_run(folder, "mlflow", step)) is not None:
            self._run = known
            self._client.update_run(known, status="RUNNING")
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "zoo"
        experiment = self._client.get_experiment_by_name(name)
        place = experiment.experiment_id if experiment else self._client.create_experiment(name)
        self._run = self._client.create_run(place, run_name=folder.name).info.run_id
        remember_run(folder, "mlflow", self._run)
        known_values = flat({key: resolved[key] for key in _PARAMETERS if resolved.get(key) is not None})
        parameters = [self._parameter(_key(key), str(value)[:_LONGEST]) for key, value in known_values.items()]
        for start in range(0, len(parameters), _AT_ONCE):
            self._client.log_batch(self._run, params=parameters[start : start + _AT_ONCE])
        self._client.log_dict(self._run, dict(resolved), "run.json")

    def log(self, event: str, step: int, metrics: Mapping[str, float]) -> None:
        """Log figures as EVENT/NAME."""
        now = int(time.time() * 1000)
        found = [self._metric(_key(f"{event}/{name}"), value, now, step) for name, value in metrics.items()]
        if found:
            self._client.log_batch(self._run, metrics=found)

    def picture(self, path: Path, step: int) -> None:
        """Log a picture as an artifact."""
        self._client.log_artifact(self._run, str(path), f"pictures/{step}")

    def close(self) -> None:
        """End the run."""
        self._client.set_terminated(self._run)


def _key(name: str) -> str:
    """Return a name of the letters that MLflow takes."""
    return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)[:250]
