"""The modality `interactions`; keeps `zoo.Modality`."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import zoo
from zoo.commands.output import counted
from zoo_recsys.dataset import InteractionDataset, fingerprint, validation_rows
from zoo_recsys.options import InteractionOptions
from zoo_recsys.rows import Chosen, Rows, behind, held_out
from zoo_recsys.tables import Interactions, StoredTable, read_interactions, table_files, titles_beside
from zoo_recsys.vocabulary import Form, Vocabulary, VocabularyRecord, make_vocabulary, numbered, read_vocabulary

_log = logging.getLogger("zoo")
_MAX_ITEMS = 200
_HUB = "hf://datasets/"


class InteractionModality:
    """Who met what: users, items, and their order."""

    def open(self, source: zoo.DataSource, need: zoo.Need) -> tuple[InteractionDataset, Vocabulary]:
        options: InteractionOptions = source.options
        read = read_source(source)
        rows = read.rows
        tested = held_out(rows, options, options.test_share, options.split_seed, read.source)
        settings, learnt = need.settings, ~tested
        if isinstance(settings.validation, float) and settings.validation:
            learnt &= ~validation_rows(rows, tested, options, settings.validation, settings.seed, read.source)
        vocabulary: Vocabulary | None = need.inputs
        if vocabulary is None or need.grows:
            vocabulary = _fresh(read, rows, tested, learnt, need, vocabulary)
        known_items = numbered(rows.item_names, vocabulary.numbers).astype(np.int32)
        _tell_unknown(rows, known_items, tested, read.source)
        if vocabulary.form == "sequence" and options.split not in ("last", "time"):
            _tell_order(rows, tested, need.model.name, options.split)
        dataset = InteractionDataset(
            name=read.name,
            source=read.source,
            license=read.license,
            fingerprint=fingerprint(rows, tested),
            rows=replace(rows, items=known_items[rows.items]),
            known_users=numbered(rows.user_names, vocabulary.user_numbers),
            catalog=len(vocabulary.table.names),
            options=options,
            samples="rows" if "pairs" in need.model.capabilities else "users",
            longest=vocabulary.max_items + 1 if vocabulary.form == "sequence" else None,
            tested=tested,
        )
        return dataset, replace(vocabulary, training=_training(dataset, learnt, vocabulary))

    def read_inputs(
        self, folder: Path, record: VocabularyRecord | None, arguments: Mapping[str, Any]
    ) -> Vocabulary | None:
        return None if record is None else read_vocabulary(folder, record)

    def inputs_for(self, batch: Mapping[str, Tensor]) -> Vocabulary:
        return vocabulary_for(batch)

    def prepared(self, example: Mapping[str, Tensor], like: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        if "history" in example:
            return (example["history"].to(like.device, like.dtype),), {}
        return (), {name: tensor.to(like.device) for name, tensor in example.items()}

    def outputs(self, model: nn.Module, example: Mapping[str, Tensor], spec: zoo.ModelSpec) -> dict[str, Any]:
        known: Any = model
        positional, named = self.prepared(example, next(model.parameters()))
        return {"scores": known.item_scores(*positional, **named)}

    def bind(self, loaded: zoo.Loaded) -> None:
        if not loaded.changed:
            from zoo_recsys.predictor import Recommend

            loaded.model.predict = Recommend(loaded)

    def check_publishable(self, folder: Path, description: Any) -> None:
        if description.inputs is None:
            raise zoo.IntegrityError(f"{folder} does not say which items it knows; add `inputs` to config.json")
        read_vocabulary(folder, description.inputs.values)


def read_source(source: zoo.DataSource) -> Interactions:
    """Read the table that a source names, of a Hub's data set all splits. Raise DataError for what is none."""
    options: InteractionOptions = source.options
    if source.name.startswith(_HUB):
        stored = zoo.hub_tables(source.name, source.hub)
        return read_interactions(
            [StoredTable(f"{source.name} {split}", rows.data.table) for split, rows in stored.splits.items()],
            options,
            name=stored.name,
            source=stored.source,
            license=stored.license,
        )
    path: Path | None = zoo.open_named(source, "a table of users and items")
    named = path is not None
    path = path or Path(source.name)
    files = table_files(path)
    return read_interactions(
        files,
        options,
        source=str(files[0] if len(files) == 1 else path),
        name=source.name if named else path.resolve().stem,
        titles=titles_beside(path),
    )


def vocabulary_for(batch: Mapping[str, Tensor]) -> Vocabulary:
    """Return a vocabulary of as many items, and users, as a batch has numbers for."""
    there = [batch[name][_inside(batch, name)] for name in ("items", "item", "held") if name in batch]
    count = max(int(tensor.max()) for tensor in there) + 1
    users = int(batch["users"].max()) + 1
    if "item" in batch:
        pairs = list(zip(batch["users"].tolist(), batch["item"].tolist(), strict=True))
        rows = [[item for user, item in pairs if user == number] for number in range(users)]
    else:
        lengths = batch["items_lengths"].tolist()
        rows = [items[:length] for items, length in zip(batch["items"].tolist(), lengths, strict=True)]
    training = zoo.Ragged.of(rows, np.int64)
    return make_vocabulary(
        [str(number) for number in range(count)],
        {},
        np.bincount(training.values, minlength=count),
        form="bag",
        max_items=_MAX_ITEMS,
        users=[str(number) for number in range(users)] if "item" in batch else None,
        training=training,
    )


def _inside(batch: Mapping[str, Tensor], name: str) -> Any:
    """Return which numbers of a batch are items, and not what fills up."""
    lengths = batch.get(f"{name}_lengths")
    return ... if lengths is None else torch.arange(batch[name].shape[1]) < lengths.cpu()[:, None]


def _fresh(
    read: Interactions, rows: Rows, tested: Chosen, learnt: Chosen, need: zoo.Need, known: Vocabulary | None
) -> Vocabulary:
    """Return the vocabulary of all items, and where the model needs them users, that are not tested on alone.

    Those that weights know come first, as they are.
    """
    counts = np.bincount(rows.items[learnt], minlength=len(rows.item_names))
    there = np.flatnonzero(np.bincount(rows.items[~tested], minlength=len(rows.item_names))).tolist()
    count_of = {rows.item_names[place]: int(counts[place]) for place in there}
    names = list(dict.fromkeys([*(known.table.names if known else ()), *count_of]))
    titles = {**dict(zip(known.table.names, known.table.titles, strict=True)), **read.titles} if known else read.titles
    users = None
    if "pairs" in need.model.capabilities:
        theirs = [rows.user_names[place] for place in np.unique(rows.users[~tested]).tolist()]
        users = list(dict.fromkeys([*((known.user_names if known else None) or ()), *theirs]))
    form: Form = "sequence" if "language-model" in need.model.capabilities else "bag"
    return make_vocabulary(
        names,
        titles,
        [count_of.get(name, 0) for name in names],
        form=known.form if known else form,
        max_items=known.max_items if known else need.arguments.get("max_items", _MAX_ITEMS),
        users=users,
        training=zoo.Ragged.of([], np.int64),
    )


def _training(dataset: InteractionDataset, learnt: Chosen, vocabulary: Vocabulary) -> zoo.Ragged:
    """Return the items of each user who is learnt from, in the numbers of the vocabulary."""
    rows = dataset.rows.take(learnt & (dataset.rows.items >= 0))
    if vocabulary.user_names is None:
        return rows.histories()
    users = dataset.known_users[rows.users]
    order = np.argsort(users[users >= 0], kind="stable")
    known = replace(
        rows,
        users=users[users >= 0][order].astype(np.int32),
        items=rows.items[users >= 0][order],
        times=None,
        user_names=vocabulary.user_names,
    )
    return known.histories()


def _tell_unknown(rows: Rows, known: Any, tested: Chosen, source: str) -> None:
    strange = known[rows.items] < 0
    if learnt := int((strange & ~tested).sum()):
        _log.warning("left out %s of %s, whose items these weights do not know", counted(learnt, "row"), source)
    if missed := int((strange & tested).sum()):
        _log.warning(
            "counted as misses: %s to test on, of items that training never saw and nobody can recommend",
            counted(missed, "row"),
        )


def _tell_order(rows: Rows, tested: Chosen, model: str, split: str) -> None:
    _log.warning(
        "%s tells what comes next, and of rows held out by split=%s %.1f %% come after all others of their user: "
        "scores say little of it; to test what comes next: --data-set split=last",
        model,
        split,
        100 * behind(rows, tested).sum() / max(1, tested.sum()),
    )


modality = InteractionModality()
