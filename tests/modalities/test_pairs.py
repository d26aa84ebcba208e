"""A plugin of users and items, which nothing in the core knows, goes the whole way."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import zoo
from tests.modalities.conftest import Trained
from tests.modalities.whole_way import WholeWay
from zoo.testing import ModelTests, RecipeTests

PLUGIN = Path(__file__).with_name("zoo_pairs")
ITEMS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 0], [8, 9, 0, 0], [3, 9, 1, 5]])


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table of two users, who keep to a genre each."""
    path = tmp_path / "table.csv"
    rows = [("anna", "g1-i2"), ("bob", "g0-i0"), ("anna", "g1-i4"), ("anna", "g1-i9"), ("bob", "g0-i1")]
    path.write_text("user,item\n" + "".join(f"{user},{item}\n" for user, item in rows))
    return path


class TestItemNet(ModelTests):
    name = "item_net"

    def inputs(self) -> dict[str, torch.Tensor]:
        return {"items": ITEMS}


class TestMaskedItems(RecipeTests):
    name, model = "masked_items", "item_net"
    steps = 6

    def arguments(self) -> dict[str, Any]:
        return {"num_items": 9}

    def batch(self) -> dict[str, torch.Tensor]:
        return {"items": ITEMS, "next": torch.tensor([5, 8, 7, 2])}


class TestNextItem(TestMaskedItems):
    name = "next_pair"


class TestPairs(WholeWay):
    package, modality, model, data = "zoo_pairs", "preferences", "item_net", "pairs"
    task, pipeline_tag = "item-ranking", None
    recipes, score = ("masked_items", "next_pair"), "ndcg@10"
    quick, positional = {"epochs": 12}, False

    def inputs(self) -> dict[str, torch.Tensor]:
        return {"items": ITEMS.repeat(1, 2)}

    def test_learns(self, trained: Trained) -> None:
        assert trained.pretrained.scores["recall@10"] > 60  # of 53 items that are left 10 by chance are 19
        assert trained.finetuned.scores["recall@10"] > 60

    def test_its_vocabulary_travels_beside_the_weights(self, trained: Trained, tmp_path: Path) -> None:
        import shutil

        weights = Path(shutil.copytree(trained.finetuned.weights, tmp_path / "weights"))
        items = weights / "items.json"
        names = json.loads(items.read_text())
        assert len(names) == 60 and names == sorted(names)
        items.write_text(json.dumps(names[::-1]))
        for use in (lambda: zoo.load(weights).predict([["g1-i2"]]), lambda: zoo.evaluate(weights, data="pairs")):
            with pytest.raises(zoo.IntegrityError, match="items.json has sha256"):
                use()
        items.unlink()
        with pytest.raises(zoo.NotFoundError, match="no items.json"):
            zoo.push(weights, "tester/none", hub=tmp_path / "hub", private=False)
        with pytest.raises(zoo.NotFoundError, match="no items.json"):
            zoo.finetune(weights, task="item-ranking", data="pairs", out=tmp_path / "run")

    def test_ranks_items_that_were_not_taken(self, trained: Trained, table: Path, zoo_command: Any) -> None:
        predict = zoo.load(trained.finetuned.folder).predict
        anna, bob = predict([["g1-i2", "g1-i4", "g1-i9"], ["g0-i0", "g0-i1", "unknown"]], top=5)
        assert [item["item"][:2] for item in anna["items"]].count("g1") >= 4
        assert not {"g1-i2", "g1-i4", "g1-i9"} & {item["item"] for item in anna["items"]}
        scores = [item["score"] for item in bob["items"]]
        assert scores == sorted(scores, reverse=True) and len(scores) == 5
        typed = ("predict", str(trained.finetuned.folder), str(table), "--user", "bob", "-k", "5", "--json")
        (shown,) = json.loads(zoo_command(*typed).stdout)
        assert shown.pop("preferences") == "bob"
        assert [item["item"] for item in shown["items"]] == [item["item"] for item in bob["items"]]
        with pytest.raises(zoo.DataError, match="know nothing"):
            predict([["unknown"]])

    def test_help_shows_what_its_task_can_be_asked(self, zoo_command: Any) -> None:
        shown = " ".join(zoo_command("predict", "--help").stdout.split())
        assert "-k, --top INTEGER How many items are listed." in shown
        assert "--user TEXT Rank for this user alone; may be repeated." in shown

    def test_finetunes_on_a_table_with_columns_of_other_names(self, trained: Trained, tmp_path: Path) -> None:
        path = tmp_path / "loans.csv"
        lines = [f"{reader},g{reader % 6}-i{place}\n" for place in range(8) for reader in range(60)]
        path.write_text("reader,book\n" + "".join(lines))
        asked: dict[str, Any] = {"task": "item-ranking", "data": str(path), "settings": {"steps": 4}}
        with pytest.raises(zoo.DataError, match="no column 'user'"):
            zoo.finetune(trained.pretrained.folder, out=tmp_path / "run", **asked)
        columns = {"user": "reader", "item": "book"}
        run = zoo.finetune(trained.pretrained.folder, out=tmp_path / "run", data_options=columns, **asked)
        assert run.scores["recall@10"] > 60
        before, after = (zoo.describe(place.folder).inputs for place in (trained.pretrained, run))
        assert before == after

    def test_goes_on_from_weights_of_its_own_task(self, trained: Trained, tmp_path: Path) -> None:
        run = zoo.finetune(
            trained.finetuned.folder, task="item-ranking", data="pairs", out=tmp_path / "run", settings={"steps": 1}
        )
        assert run.scores["recall@10"] == pytest.approx(trained.finetuned.scores["recall@10"], abs=10)


def test_finetuned_weights_get_room_for_new_items(tmp_path: Path) -> None:
    rows = [(f"user {user}", f"item {(user + step) % 8}") for user in range(40) for step in range(4)]
    runs = []
    for name, renamed in (("old", {}), ("new", {"item 7": "brand new", "item 1": "as new"})):
        table = tmp_path / f"{name}.csv"
        table.write_text("user,item\n" + "".join(f"{user},{renamed.get(item, item)}\n" for user, item in rows))
        if not runs:
            runs.append(zoo.pretrain("item_net", data=str(table), out=tmp_path / name, settings={"steps": 4}))
        else:
            settings = {"steps": 1, "learning_rate": 1e-9, "warmup": 0.0}
            runs.append(
                zoo.finetune(
                    runs[0].folder, task="item-ranking", data=str(table), out=tmp_path / name, settings=settings
                )
            )
    old, new = (zoo.describe(run.folder) for run in runs)
    assert (old.arguments["num_items"], new.arguments["num_items"]) == (8, 10)  # type: ignore[union-attr]
    names = [json.loads((run.weights / "items.json").read_text()) for run in runs]
    assert names[1] == [*names[0], "as new", "brand new"]
    before, after = (zoo.load(run.folder) for run in runs)
    table = after.backbone.table.weight  # type: ignore[union-attr]
    assert torch.allclose(table[:9], before.table.weight, atol=1e-6) and table[9:].abs().sum() > 0  # type: ignore[union-attr, index]
    assert zoo.evaluate(runs[1].folder, data=str(tmp_path / "new.csv")) == pytest.approx(runs[1].scores)
    assert zoo.reproduce(runs[1].folder, out=tmp_path / "again").identical
