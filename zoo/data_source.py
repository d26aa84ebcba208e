"""Where the data of a job come from, and in which form its weights take them."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.data.dataset import ImageDataset
from zoo.data.hub_files import HUB_DATASETS
from zoo.data.open import open_dataset
from zoo.data.pictures import STRETCHED, Scaling
from zoo.data.text.dataset import TextDataset
from zoo.data.text.open import open_texts
from zoo.data.text.records import Columns
from zoo.errors import NotFoundError, UsageError
from zoo.registry import Offer, default_registry
from zoo.specs import DatasetSpec, TaskSpec
from zoo.weights.build import load_named
from zoo.weights.config import ZooBlock


@dataclass(frozen=True)
class DataSource:
    """Where data come from: a data set's name or a folder, where its files lie, how many bad ones may be left out.

    `hub` is the Hub that a name `hf://datasets/…` is looked for on. `columns` says which column of a table is what.
    """

    name: str
    folder: Path | None = None
    skip_bad: int = 0
    hub: str | Path | None = None
    columns: Columns = Columns()

    def open_texts(self) -> TextDataset:
        """Open the data set as texts."""
        return open_texts(self.name, data_dir=self.folder, spec=self._spec("texts"), columns=self.columns, hub=self.hub)

    def open(
        self,
        image_size: Any = None,
        channels: int | None = None,
        *,
        scaling: Scaling = STRETCHED,
        task: Offer[TaskSpec] | None = None,
    ) -> ImageDataset:
        """Open the data set as pictures of this size and these channels; None takes the data's own.

        A folder is read as one of data for the task.
        """
        if named := self.columns.named():
            raise UsageError(f"--{next(iter(named))} names a column of a table of texts, and pictures have none")
        spec = self._spec("pictures")
        if image_size is not None:
            image_size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
        return open_dataset(
            self.name,
            data_dir=self.folder,
            spec=spec,
            reader=None if task is None or task.spec.reader is None else load_named(task, "reader"),
            image_size=image_size,
            channels=channels,
            scaling=scaling,
            skip_bad=self.skip_bad,
            hub=self.hub,
        )

    def _spec(self, what: str) -> DatasetSpec | None:
        """Return the spec of a data set that is known by name, None for a path or a data set of a Hub."""
        registry = default_registry()
        known = any(offer.spec.name == self.name for offer in registry.offers("datasets"))
        if not known and (self.name.startswith(HUB_DATASETS) or Path(self.name).exists()):
            return None
        try:
            return registry.dataset(self.name).spec
        except NotFoundError as error:
            raise NotFoundError(f"{error}, or give a folder of {what}, or {HUB_DATASETS}org/name") from None

    def open_for(
        self, block: ZooBlock, task: Offer[TaskSpec] | None = None, image_size: tuple[int, int] | None = None
    ) -> ImageDataset:
        """Open the data set as pictures that weights take: of their channels, and of their size unless one is given.

        Where boxes or masks are learnt the pictures' own size is taken, of weights that were made for something else.
        """
        wanted = block.preprocessing
        if wanted is None:
            return self.open(image_size, task=task)
        own_size = task is not None and task.spec.learns_from in ("boxes", "masks") and task.spec.name != block.task
        if image_size is None and not own_size:
            image_size = wanted.image_size
        return self.open(image_size, wanted.channels, scaling=Scaling(wanted.crop, wanted.interpolation), task=task)


def data_source(
    name: str,
    folder: str | Path | None,
    skip_bad: int,
    hub: str | Path | None,
    columns: Mapping[str, str] | None,
) -> DataSource:
    """Return where data come from, as it was typed. Raise UsageError for a column that means nothing."""
    known = [field.name for field in dataclasses.fields(Columns)]
    if unknown := [role for role in columns or {} if role not in known]:
        raise UsageError(f"no column is called {unknown[0]!r}; name {', '.join(known)}")
    return DataSource(name, None if folder is None else Path(folder), skip_bad, hub, Columns(**(columns or {})))
