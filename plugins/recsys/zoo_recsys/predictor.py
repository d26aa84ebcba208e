"""Recommend items: to known users, for histories that no model saw, and beside other items."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import torch
from torch import Tensor

import zoo
from zoo_recsys.options import InteractionOptions
from zoo_recsys.ranking import top_items
from zoo_recsys.vocabulary import Vocabulary, read_vocabulary

_log = logging.getLogger("zoo")
_K = 10
_SCORED_AT_ONCE = 2**26
Results = list[dict[str, Any]]


class Recommend:
    """Bound to a loaded model as `model.predict`; keeps `zoo.Predicts`."""

    modality: ClassVar[str] = "interactions"
    columns = ("rank", "item", "title", "score", "note")

    def __init__(self, loaded: zoo.Loaded) -> None:
        self.loaded = loaded
        self._vocabulary: Vocabulary | None = None

    @property
    def vocabulary(self) -> Vocabulary:
        """The items that the weights know. Raise UsageError where they do not say."""
        if self._vocabulary is None:
            if self.loaded.description.inputs is None:
                raise zoo.UsageError(
                    "these weights do not say which items they know; add `inputs` to their config.json"
                )
            self._vocabulary = read_vocabulary(self.loaded.folder, self.loaded.description.inputs.values)
        return self._vocabulary

    def __call__(
        self,
        *,
        users: Sequence[Any] = (),
        histories: Sequence[Sequence[str] | str] = (),
        like: Sequence[str] = (),
        k: int = _K,
        seen: bool = False,
        data: str | None = None,
        data_dir: str | Path | None = None,
    ) -> list[Results]:
        """Return the k best items for each user, then for each history, then those most like each item, best first.

        Users are named as in `data`, by default those that the weights were trained on; items by name or title. What a
        user has is left out without `seen`. Who is not known, and has no items, gets what is popular, and a note.
        """
        if k < 1:
            raise zoo.UsageError(f"k={k} items are none; ask for 1 or more")
        found: list[Results] = []
        if users:
            found += self.for_users([str(user) for user in users], k, seen, data, data_dir)
        if histories:
            items = [
                self.vocabulary.find_all(said) if isinstance(said, str) else [self.vocabulary.find(one) for one in said]
                for said in histories
            ]
            found += self.ranked(items, np.full(len(items), -1), k, seen)
        return found + [self.similar(item, k) for item in like]

    def for_users(
        self, users: Sequence[str], k: int, seen: bool, data: str | None, data_dir: str | Path | None
    ) -> list[Results]:
        """Return the k best items for users of data."""
        known = self.known_users(data, data_dir)
        numbers = {name: number for number, name in enumerate(known.names)}
        if strange := [user for user in users if user not in numbers]:
            _log.warning(
                "no user %s in %s: what is popular is recommended", ", ".join(map(repr, strange[:5])), known.source
            )
        items = [known.items_of(numbers[user]) if user in numbers else [] for user in users]
        mine = np.array([self.vocabulary.user_numbers.get(user, -1) for user in users])
        return self.ranked(items, mine, k, seen)

    def ranked(self, items: Sequence[Sequence[int]], users: Any, k: int, seen: bool) -> list[Results]:
        """Return the k best items for histories in numbers, and the numbers of users."""
        found: list[Results] = []
        size = max(1, _SCORED_AT_ONCE // len(self.vocabulary.table.names))
        for start in range(0, len(items), size):
            some, mine = items[start : start + size], users[start : start + size]
            scores, numbers = self.best(zoo.Ragged.of(some, np.int64), mine, k, seen)
            for row, (values, places) in enumerate(zip(scores.tolist(), numbers.tolist(), strict=True)):
                note = "popular: nothing is known of this user" if not some[row] and mine[row] < 0 else ""
                found.append(self._results(values, places, note))
        return found

    def best(self, items: zoo.Ragged, users: Any, k: int, seen: bool) -> tuple[Tensor, Tensor]:
        """Return scores and numbers of the k best items for each row of items, on the CPU."""
        model: Any = self.loaded.model
        device = next(model.parameters()).device
        rows, lengths = items.padded(np.arange(len(items)), len(self.vocabulary.table.names))
        given = [torch.as_tensor(part, device=device) for part in (rows, lengths, users)]
        with zoo.evaluating(model), torch.inference_mode():
            scores, numbers = top_items(model, self.vocabulary, given[0], given[1], given[2], k, seen=seen)
        return scores.cpu(), numbers.cpu()

    def similar(self, item: str, k: int) -> Results:
        """Return the k items most like one. Raise UsageError for a model that knows none alike."""
        model: Any = self.loaded.model
        if not hasattr(model, "similar"):
            raise zoo.UsageError(f"{self.loaded.spec.name} does not say which items are alike; take another model")
        number = self.vocabulary.find(item)
        with torch.inference_mode():
            likeness = model.similar(number)
            likeness = likeness.index_fill(0, torch.tensor([number], device=likeness.device), -torch.inf)
        scores, numbers = likeness.topk(min(k, len(likeness)))
        return self._results(scores.tolist(), numbers.tolist(), "")

    def known_users(self, data: str | None, data_dir: str | Path | None) -> Any:
        """Return the users of data with the items that they have: those to train on, or of other data all."""
        from zoo_recsys.users import users_of

        source, options = data, InteractionOptions()
        trained = _trained_on(self.loaded.folder)
        own = trained is not None and data in (None, trained["name"])
        if own:
            assert trained is not None
            source = trained["name"]
            options = msgspec.convert(trained["options"], InteractionOptions, strict=False)
            data_dir = data_dir or trained["folder"]
        if source is None:
            raise zoo.UsageError("histories of users do not travel with weights; say where they are: --data DATA")
        place = zoo.DataSource(name=source, folder=None if data_dir is None else Path(data_dir), options=options)
        try:
            return users_of(place, self.vocabulary, training_only=own)
        except zoo.NotFoundError as error:
            raise zoo.NotFoundError(
                f"histories of users do not travel with weights, and {source} is not here ({error}); say --data DATA"
            ) from None

    def row(self, result: Mapping[str, Any]) -> Sequence[str]:
        return [str(result["rank"]), result["item"], result["title"], f"{result['score']:.4g}", result["note"]]

    def items(
        self, arguments: Sequence[str], options: Mapping[str, Any], out: Path | None
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield what is recommended to users, for histories, and beside items; all users go into a file."""
        given = dict(options)
        k, seen = given.pop("k", _K), bool(given.pop("seen", False))
        place: dict[str, Any] = {"data": given.pop("data", None), "data_dir": given.pop("data_dir", None)}
        if arguments:
            raise zoo.UsageError(f"{arguments[0]!r} is no option; say --user, --history, --like, or --all-users")
        if given.pop("all_users", False):
            if given or out is None:
                raise zoo.UsageError("--all-users goes into a file, alone: --all-users --out FILE.parquet")
            from zoo_recsys.all_users import write_all

            write_all(self, out, k=k, seen=seen, **place)
            return
        if out is not None:
            raise zoo.UsageError("--out is for --all-users; leave it out, and take --json")
        if not given:
            raise zoo.UsageError("nobody is named to recommend to; say --user, --history, --like, or --all-users")
        for option, name in (("user", "users"), ("history", "histories"), ("like", "like")):
            asked = list(given.get(option, ()))
            who: dict[str, Any] = {name: asked}
            results = self(**who, k=k, seen=seen, **place) if asked else []
            for said, rows in zip(asked, results, strict=True):
                yield from ((said, result) for result in rows)

    def _results(self, scores: Sequence[float], numbers: Sequence[int], note: str) -> Results:
        table = self.vocabulary.table
        return [
            {"rank": rank, "item": table.names[place], "title": table.titles[place], "score": score, "note": note}
            for rank, (score, place) in enumerate(zip(scores, numbers, strict=True), 1)
            if score > -np.inf
        ]


def _trained_on(folder: Path) -> dict[str, Any] | None:
    """Return what the record of a run says of its data; None where there is no record."""
    try:
        source: dict[str, Any] = msgspec.json.decode((folder / "training.json").read_bytes())["source"]
        return source if isinstance(source["options"], dict) and isinstance(source["name"], str) else None
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return None
