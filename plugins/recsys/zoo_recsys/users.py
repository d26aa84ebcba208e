"""The users of data, with the items that each has, in the numbers of a vocabulary."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import zoo
from zoo_recsys.modality import read_source
from zoo_recsys.rows import held_out
from zoo_recsys.vocabulary import Vocabulary, numbered


@dataclass(frozen=True, kw_only=True)
class Users:
    """Users by name, and their items, in order."""

    source: str
    names: Sequence[str]
    histories: zoo.Ragged

    def items_of(self, number: int) -> Any:
        """Return the items of one user."""
        return self.histories.values[self.histories.starts[number] : self.histories.starts[number + 1]].tolist()


def users_of(source: zoo.DataSource, vocabulary: Vocabulary, *, training_only: bool) -> Users:
    """Return the users of a source with the items that the vocabulary knows; of data trained on, those to train on."""
    read = read_source(source)
    rows, options = read.rows, source.options
    known = numbered(rows.item_names, vocabulary.numbers)[rows.items]
    chosen = known >= 0
    if training_only:
        chosen &= ~held_out(rows, options, options.test_share, options.split_seed, read.source)
    rows = replace(rows, items=known.astype("int32")).take(chosen)
    return Users(source=read.source, names=rows.user_names, histories=rows.histories())
