"""Make a data set that is known by name."""

from pathlib import Path
from typing import Any

from zoo.errors import PluginError, ZooError
from zoo.specs.named import load_target
from zoo.specs.records import DatasetSpec


def make_dataset(spec: DatasetSpec, data_dir: Path | None) -> Any:
    """Return what a spec's target makes. Raise PluginError where its plugin fails at that."""
    try:
        return load_target(spec.target)(data_dir)
    except ZooError:
        raise
    except Exception as error:
        raise PluginError(
            f"data set {spec.name!r} failed: {type(error).__name__}: {error}; `zoo plugins` shows all"
        ) from error
