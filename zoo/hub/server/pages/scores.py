"""What a repo says of its own quality, each figure once."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from zoo.hub.server import results
from zoo.hub.server.store import Store
from zoo.hub.server.trees import Entry

_SHOWN = 50


@dataclass(frozen=True)
class Score:
    """One measured figure, as it is shown."""

    data: str
    metric: str
    value: str


def scores(store: Store, card: Mapping[str, Any], files: Mapping[str, Entry]) -> list[Score]:
    """Return what was measured, each once."""
    folder = files.get(results.FOLDER)
    entries = store.trees.entries(folder.oid).values() if folder is not None and folder.folder else ()
    found = chain(results.of_files(store.blobs.read, entries), results.of_card(card))
    shown = (Score(result.data, result.metric, results.shown(result.value)) for result in found)
    return list(dict.fromkeys(shown))[:_SHOWN]
