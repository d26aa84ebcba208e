"""Data sets that are known by name."""

import difflib
import os
from pathlib import Path
from typing import Any

from zoo.data.hub_files import HUB_DATASETS
from zoo.data.named import make_dataset
from zoo.errors import NotFoundError
from zoo.registry.registry import default_registry
from zoo.specs.modality import DataSource
from zoo.specs.records import DatasetSpec


def open_named(source: DataSource, otherwise: str) -> Any | None:
    """Return what the plugin of a data set makes of its name, None where `source` names a path.

    Raise NotFoundError for a name that nobody knows; `otherwise` says what else can be given.
    """
    spec = named_dataset(source, otherwise)
    return None if spec is None else make_dataset(spec, source.folder)


def named_dataset(source: DataSource, otherwise: str) -> DatasetSpec | None:
    """Return the spec of a data set that is known by name, None for a path or a data set of a Hub.

    Raise NotFoundError for a name that nobody knows; `otherwise` says what else can be given.
    """
    registry = default_registry()
    known = any(offer.spec.name == source.name for offer in registry.offers("datasets"))
    if not known and (source.name.startswith(HUB_DATASETS) or Path(source.name).exists()):
        return None
    near = _near(Path(source.name))
    meant = f"; did you mean {' or '.join(near)}?" if near else ""
    if not known and _is_path(source.name):
        raise NotFoundError(
            f"no file or folder {source.name}{meant or ';'} give {otherwise}, or a name: `zoo list --datasets`"
        )
    try:
        return registry.dataset(source.name).spec
    except NotFoundError as error:
        raise NotFoundError(f"{error}, or give {otherwise}{meant}") from None


def _is_path(name: str) -> bool:
    """Tell whether only a path is written so: names of data sets have neither separators nor endings."""
    return name.startswith((".", "~")) or os.sep in name or bool(Path(name).suffix)


def _near(path: Path) -> list[str]:
    """Return what lies beside where a path leads, under a name alike."""
    try:
        names = os.listdir(path.parent)
    except (OSError, ValueError):
        return []
    return [str(path.parent / name) for name in difflib.get_close_matches(path.name, names, n=2, cutoff=0.7)]
