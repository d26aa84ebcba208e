"""The modality `preferences`; keeps `zoo.Modality`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

import zoo
from zoo_pairs.data import Users, as_dataset, known_items, read_users
from zoo_pairs.items import Items, ItemsRecord, read_items
from zoo_pairs.predictor import PredictItems


class Interactions:
    """What users took, in numbers by the items that the weights know."""

    def open(self, source: zoo.DataSource, need: zoo.Need) -> tuple[zoo.ArrayDataset, Items]:
        users: Users | None = zoo.open_named(source, "a CSV table of users and items")
        if users is None:
            users = read_users(Path(source.name), source.options)
        items = need.inputs or known_items(users)
        if need.grows:
            items = items.with_new(known_items(users))
        return as_dataset(users, items), items

    def read_inputs(self, folder: Path, record: ItemsRecord | None, arguments: Mapping[str, Any]) -> Items | None:
        return None if record is None else read_items(folder, record)

    def inputs_for(self, batch: Mapping[str, Tensor]) -> Items:
        items = batch["items"]
        return Items(tuple(f"item {number}" for number in range(1, int(items.max()) + 1)), items.shape[1])

    def prepared(self, example: Mapping[str, Tensor], like: Tensor) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
        return (), {name: tensor.to(like.device) for name, tensor in example.items()}

    def outputs(self, model: nn.Module, example: Mapping[str, Tensor], spec: zoo.ModelSpec) -> dict[str, Any]:
        if "rank" not in spec.capabilities:
            return {}
        known: Any = model
        _, given = self.prepared(example, next(model.parameters()))
        return {"ranks": known.rank(**given)}

    def bind(self, loaded: zoo.Loaded) -> None:
        if not loaded.changed:
            loaded.model.predict = PredictItems(loaded)

    def check_publishable(self, folder: Path, description: Any) -> None:
        if description.inputs is None:
            raise zoo.IntegrityError(f"{folder} does not say which items it knows; add `inputs` to config.json")
        read_items(folder, description.inputs.values)


modality = Interactions()
