"""Weights go the whole way: trained, scored, pushed, pulled, verified, reproduced, and asked."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
import torch
from zoo_recsys import all_users

import zoo
from plugins.recsys.tests.small import USERS, write_table

SETTINGS: dict[str, dict[str, Any]] = {
    "popularity": {},
    "item_knn": {},
    "ease": {},
    "bpr_mf": {"epochs": 12, "learning_rate": 0.05, "batch_size": 64},
    "lightgcn": {"epochs": 12, "learning_rate": 0.05, "batch_size": 64},
    "mult_vae": {"epochs": 30, "batch_size": 40, "learning_rate": 5e-3},
    "sasrec": {"epochs": 40, "batch_size": 20, "learning_rate": 5e-3, "negatives": 16},
}
SMALL: dict[str, dict[str, Any]] = {
    "mult_vae": {"hidden_size": 32, "code_size": 16, "dropout": 0.2},
    "sasrec": {"width": 16, "max_items": 8},
    "bpr_mf": {"width": 8},
    "lightgcn": {"width": 8},
    "item_knn": {"shrinkage": 0.0},
    "ease": {"regularization": 10.0},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a table, and one run of each model."""
    folder = tmp_path_factory.mktemp("recsys")
    table = write_table(folder / "table.csv")
    for model, settings in SETTINGS.items():
        zoo.pretrain(
            model,
            data=str(table),
            out=folder / model,
            settings={**settings, "evaluations": 1},
            arguments=SMALL.get(model, {}),
            data_options={"titles": str(folder / "titles.csv")},
        )
    return folder


def scores(run: Path) -> dict[str, float]:
    """Return the scores that a run ended with."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {name: value for name, value in lines[-1].items() if isinstance(value, float)}


@pytest.mark.parametrize("model", [name for name in SETTINGS if name != "popularity"])
def test_learns_more_than_what_is_popular(folder: Path, model: str) -> None:
    assert scores(folder / model)["ndcg"] > 1.5 * scores(folder / "popularity")["ndcg"]


@pytest.mark.parametrize("model", list(SETTINGS))
def test_evaluating_gives_the_scores_of_the_run(folder: Path, model: str) -> None:
    found = zoo.evaluate(folder / model, data=str(folder / "table.csv"))
    assert found == pytest.approx({name: scores(folder / model)[name] for name in found}, abs=1e-6)


def test_scores_can_be_computed_by_hand(folder: Path) -> None:
    lines = [line.split(",") for line in (folder / "table.csv").read_text().splitlines()[1:]]
    items: dict[str, set[str]] = {}
    for user, item, _ in lines:
        items.setdefault(user, set()).add(item)
    found = zoo.load(folder / "ease").predict(users=sorted(items), k=10)
    training = zoo.load(folder / "ease").predict.known_users(None, None)
    names = zoo.load(folder / "ease").predict.vocabulary.table.names
    figures = []
    for user, rows in zip(sorted(items), found, strict=True):
        seen = {names[number] for number in training.items_of(list(training.names).index(user))}
        held = items[user] - seen
        assert not seen & {row["item"] for row in rows}
        gains = sum(1 / math.log2(row["rank"] + 1) for row in rows if row["item"] in held)
        figures.append(gains / sum(1 / math.log2(place + 2) for place in range(min(10, len(held)))))
    assert sum(figures) / len(figures) == pytest.approx(scores(folder / "ease")["ndcg"], abs=1e-9)


def test_is_pushed_pulled_verified_and_asked(folder: Path, served_hub: Any) -> None:
    for model in ("lightgcn", "sasrec"):
        zoo.push(folder / model, f"tester/{model}", hub=served_hub.url, private=False, license="other")
        address = f"hf://tester/{model}"
        pulled = zoo.pull(address, hub=served_hub.url)
        names = {file.name for file in pulled.files}
        assert "items.json" in names and ("users.json" in names) == (model == "lightgcn")
        assert not {name for name in names if "histor" in name}  # who has what stays at home
        verified = zoo.verify(address, hub=served_hub.url)
        assert verified.selftest is not None and verified.selftest.first_off is None
        here, there = (zoo.load(place, hub=served_hub.url).predict for place in (folder / model, address))
        assert here(histories=["g1-i2,g1-i4"], k=3) == there(histories=[["Part 2 of 1", "part 4 of 1"]], k=3)
        card = (pulled.folder / "README.md").read_text()
        assert "items by the items.json beside" in card and "pipeline_tag" not in card


def test_a_vocabulary_that_is_another_is_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    weights = Path(shutil.copytree(folder / "ease" / "weights", tmp_path / "weights"))
    (weights / "items.json").write_text((weights / "items.json").read_text().replace("g1", "g9"))
    with pytest.raises(zoo.IntegrityError, match="items.json has sha256"):
        zoo.load(weights).predict(histories=["g1-i1"])
    (weights / "items.json").unlink()
    with pytest.raises(zoo.NotFoundError, match="no items.json"):
        zoo.push(weights, "tester/none", hub=tmp_path / "hub", private=False)


@pytest.mark.parametrize("model", ["ease", "lightgcn", "mult_vae", "sasrec"])
def test_is_reproduced_to_the_bit(folder: Path, tmp_path: Path, model: str) -> None:
    found = zoo.reproduce(folder / model, out=tmp_path / "again")
    assert found.identical and not found.differs


@pytest.mark.parametrize("model", ["bpr_mf", "lightgcn", "mult_vae", "sasrec", "ease"])
def test_is_finetuned_to_other_users(folder: Path, tmp_path: Path, model: str) -> None:
    lines = (folder / "table.csv").read_text().splitlines()
    table = tmp_path / "others.csv"
    others = [line.replace("u", "v", 1).replace("-i11,", "-new,") for line in lines[1 : 9 * 40 + 1]]
    table.write_text("\n".join([lines[0], *others]) + "\n")
    settings = {"epochs": 2, "batch_size": 40, "evaluations": 1}
    found = zoo.finetune(
        folder / model, task="recommendation", data=str(table), out=tmp_path / "run", settings=settings
    )
    assert found.scores["ndcg"] > scores(folder / "popularity")["ndcg"] / (2 if model == "bpr_mf" else 1)
    like = zoo.load(found.folder).predict(like=["g1-new"], k=60)[0]
    assert {"g1-i11", "g1-i3"} <= {row["item"] for row in like}
    assert zoo.evaluate(found.folder, data=str(table)) == pytest.approx(found.scores, abs=1e-6)


def test_validation_rows_are_not_learnt_from(folder: Path, tmp_path: Path) -> None:
    settings = {"validation": 0.25}
    run = zoo.pretrain("popularity", data=str(folder / "table.csv"), out=tmp_path / "run", settings=settings)
    whole, part = (
        sum(json.loads((place / "weights" / "items.json").read_text())["counts"])
        for place in (folder / "ease", run.folder)
    )
    assert part == pytest.approx(0.75 * whole, rel=0.1)


def test_who_is_not_known_gets_what_is_popular_and_is_told(folder: Path) -> None:
    (rows,) = zoo.load(folder / "ease").predict(users=["nobody"], k=3)
    popular = zoo.load(folder / "popularity").predict(users=["nobody"], k=3)[0]
    assert [row["item"] for row in rows] == [row["item"] for row in popular]
    assert {row["note"] for row in rows} == {"popular: nothing is known of this user"}


@pytest.mark.parametrize("model", ["item_knn", "ease", "mult_vae", "bpr_mf", "lightgcn", "sasrec"])
def test_items_like_one_are_of_its_kind(folder: Path, model: str) -> None:
    (rows,) = zoo.load(folder / model).predict(like=["Part 3 of 1"], k=5)
    assert "g1-i3" not in {row["item"] for row in rows}
    if model in ("item_knn", "ease"):
        assert sum(row["item"].startswith("g1") for row in rows) >= 3


def test_what_is_asked_wrongly_is_said(folder: Path) -> None:
    predict = zoo.load(folder / "popularity").predict
    for asked, said in (
        ({"like": ["g1-i3"]}, "popularity does not say which items are alike"),
        ({"histories": ["Part 33 of 1"]}, "no item 'Part 33 of 1' among the .* did you mean"),
        ({"users": ["u1"], "k": 0}, "k=0 items are none"),
    ):
        with pytest.raises(zoo.UsageError, match=said):
            predict(**asked)


def test_all_users_go_into_a_file_which_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(all_users, "_USERS_A_PART", 32)
    predict, out = zoo.load(folder / "ease").predict, tmp_path / "top.parquet"
    done: list[int] = []
    write = zoo.write_file

    def stopped(path: Path, content: bytes) -> None:
        if path.suffix == ".parquet":
            if len(done) == 2:
                raise KeyboardInterrupt
            done.append(1)
        write(path, content)

    monkeypatch.setattr(zoo, "write_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        list(predict.items([], {"all_users": True, "k": 3}, out))
    monkeypatch.setattr(zoo, "write_file", write)
    with pytest.raises(zoo.UsageError, match="holds parts of another command"):
        list(predict.items([], {"all_users": True, "k": 4}, out))
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".top.parquet.parts/*.parquet")}
    assert len(times) == 2
    list(predict.items([], {"all_users": True, "k": 3}, out))
    table = parquet.read_table(out).to_pylist()
    assert len(table) == 3 * USERS and [path.name for path in tmp_path.iterdir()] == ["top.parquet"]
    (rows,) = predict(users=["u7"], k=3)
    assert [row["item"] for row in table if row["user"] == "u7"] == [row["item"] for row in rows]
    written, said = out.read_bytes(), capsys.readouterr().out
    list(predict.items([], {"all_users": True, "k": 3}, out))
    assert capsys.readouterr().out == f"{said.rstrip()}  (done before)\n" and out.read_bytes() == written
    with pytest.raises(zoo.UsageError, match="exists and holds something else"):
        list(predict.items([], {"all_users": True, "k": 4}, out))


def test_what_is_new_to_the_weights_is_told(folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = tmp_path / "more.csv"
    table.write_text((folder / "table.csv").read_text() + "u1,new,50\nu2,new,51\n")
    zoo.evaluate(folder / "ease", data=str(table))
    assert "items that training never saw" in caplog.text or "these weights do not know" in caplog.text


@pytest.mark.parametrize(
    ("model", "split", "told"), [("sasrec", "user", 1), ("sasrec", "last", 0), ("ease", "user", 0)]
)
def test_a_sequence_is_not_judged_by_what_lies_between(
    model: str, split: str, told: int, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    zoo.evaluate(folder / model, data=str(folder / "table.csv"), data_options={"split": split})
    assert caplog.text.count("sasrec tells what comes next, and of rows held out by split=user") == told


def test_the_graph_is_exported(folder: Path, tmp_path: Path) -> None:
    zoo.export(folder / "mult_vae", to="torch-export", out=tmp_path / "graph.pt2")
    model = zoo.load(folder / "mult_vae")
    history = torch.zeros(2, model.items)
    history[:, :3] = 1
    assert torch.allclose(torch.export.load(tmp_path / "graph.pt2").module()(history), model(history), atol=1e-6)
