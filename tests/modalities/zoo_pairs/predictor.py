"""Rank items for users."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

import zoo
from zoo_pairs.data import read_users
from zoo_pairs.items import Columns, Items, read_items
from zoo_pairs.recipes import unseen

_LISTED = 10


class Ranks:
    """The items that users have not taken, the best ones first."""

    columns = ("items", "score")

    def __init__(self, model: nn.Module, labels: tuple[str, ...], inputs: Items) -> None:
        self.model = model
        self.inputs = inputs

    def __call__(self, items: Tensor, top: int) -> list[dict[str, Any]]:
        scores, places = unseen(self.model(items), items).topk(min(top, len(self.inputs.names)))
        rows = zip(scores.tolist(), places.tolist(), strict=True)
        return [
            {"items": [{"item": self.inputs.names[place], "score": s} for s, place in zip(*row, strict=True)]}
            for row in rows
        ]

    def row(self, result: Mapping[str, Any]) -> list[str]:
        return [" ".join(found["item"] for found in result["items"]), f"{result['items'][0]['score']:.3f}"]


class PredictItems:
    """Bound to a loaded model as `model.predict`; keeps `zoo.Predicts`."""

    modality: ClassVar[str] = "preferences"

    def __init__(self, loaded: zoo.Loaded) -> None:
        self._loaded = loaded

    @property
    def predictor(self) -> Ranks:
        loaded = self._loaded
        if loaded.description.inputs is None:
            raise zoo.UsageError("these weights do not say which items they know; add `inputs` to their config.json")
        inputs = read_items(loaded.folder, loaded.description.inputs.values)
        made: Ranks = zoo.task_predictor(loaded.model, loaded.description, inputs)
        return made

    def __call__(self, histories: Sequence[Sequence[str]], top: int = _LISTED) -> list[dict[str, Any]]:
        """Return a ranking for each list of items that somebody took. Raise DataError where none of one is known."""
        predictor = self.predictor
        rows = [predictor.inputs.numbers(history) for history in histories]
        if not all(rows):
            raise zoo.DataError("of what somebody took these weights know nothing; items.json beside them lists items")
        items = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
        for row, numbers in zip(items, rows, strict=True):
            row[: len(numbers)] = torch.tensor(numbers)
        model = self._loaded.model
        with zoo.evaluating(model), torch.inference_mode():
            return predictor(items.to(next(model.parameters()).device), top)

    @property
    def columns(self) -> Sequence[str]:
        return self.predictor.columns

    def row(self, result: Mapping[str, Any]) -> Sequence[str]:
        return self.predictor.row(result)

    def items(
        self, arguments: Sequence[str], options: Mapping[str, Any], out: Path | None
    ) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield a ranking for each user in tables, or those that are named."""
        if out is not None:
            raise zoo.UsageError("there is nothing to draw of a ranking; leave --out out")
        taken: dict[str, list[str]] = {}
        for argument in arguments:
            for user, items in read_users(Path(argument), Columns()).taken.items():
                taken.setdefault(user, []).extend(items)
        wanted = options.get("user") or tuple(taken)
        if unknown := [user for user in wanted if user not in taken]:
            raise zoo.DataError(
                f"no user {unknown[0]!r} in {', '.join(arguments) or 'no table'}; name one of its users"
            )
        yield from zip(wanted, self([taken[user] for user in wanted], options.get("top", _LISTED)), strict=True)
