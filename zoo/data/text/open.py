"""Open texts by the name of a data set, or by a path: tables, paired files, or plain text."""

from pathlib import Path

from zoo.data.hub_files import HUB_DATASETS
from zoo.data.named import make_dataset
from zoo.data.text.class_folders import has_class_folders, open_class_folders
from zoo.data.text.columns import Columns
from zoo.data.text.dataset import TextDataset
from zoo.data.text.documents import open_documents
from zoo.data.text.hub import open_hub_texts
from zoo.data.text.records import is_records, open_records
from zoo.errors import PluginError, UsageError
from zoo.specs.records import DatasetSpec


def open_texts(
    name: str,
    *,
    data_dir: Path | None,
    spec: DatasetSpec | None,
    columns: Columns,
    hub: str | Path | None = None,
    labelled: bool = False,
) -> TextDataset:
    """Open the data set of the spec, or else the file, the folder or the data set of a Hub that `name` says.

    Where it is to be `labelled`, folders of plain text are classes.
    """
    if name.startswith(HUB_DATASETS):
        return open_hub_texts(name, columns=columns, hub=hub)
    if spec is None:
        path = Path(name)
        if is_records(path):
            return open_records(path, columns)
        return open_class_folders(path) if labelled and has_class_folders(path) else open_documents(path)
    if columns.named():
        raise UsageError(f"data set {name!r} has no columns to choose; omit --{next(iter(columns.named()))}")
    dataset = make_dataset(spec, data_dir)
    if not isinstance(dataset, TextDataset):
        raise PluginError(f"data set {name!r} is a {type(dataset).__name__}, not a zoo.TextDataset; tell its author")
    return dataset
