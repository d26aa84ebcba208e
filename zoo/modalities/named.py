"""Data sets that are known by name."""

from pathlib import Path

from zoo.data.hub_files import HUB_DATASETS
from zoo.errors import NotFoundError
from zoo.registry.registry import default_registry
from zoo.specs.modality import DataSource
from zoo.specs.records import DatasetSpec


def named_dataset(source: DataSource, what: str) -> DatasetSpec | None:
    """Return the spec of a data set that is known by name, None for a path or a data set of a Hub.

    Raise NotFoundError for a name that nobody knows; `what` is what a folder would hold.
    """
    registry = default_registry()
    known = any(offer.spec.name == source.name for offer in registry.offers("datasets"))
    if not known and (source.name.startswith(HUB_DATASETS) or Path(source.name).exists()):
        return None
    try:
        return registry.dataset(source.name).spec
    except NotFoundError as error:
        raise NotFoundError(f"{error}, or give a folder of {what}, or {HUB_DATASETS}org/name") from None
