"""Tables are read as they are, or one line says what is wrong with them."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from zoo_recsys.movielens import ml_100k
from zoo_recsys.options import InteractionOptions
from zoo_recsys.tables import read_interactions, table_files

import zoo

ROWS = "user,item,rating,timestamp\nb,007,5,30\na,7,3,20\na,x,1,10\nb,7,4,5\n"


def read(path: Path, **options: Any) -> Any:
    return read_interactions(table_files(path), InteractionOptions(**options), name="table", source=str(path))


def named(found: Any) -> list[tuple[str, str]]:
    rows = found.rows
    return [(rows.user_names[user], rows.item_names[item]) for user, item in zip(rows.users, rows.items, strict=True)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(ROWS)
    return path


def test_rows_come_by_user_and_time_and_names_are_texts(table: Path) -> None:
    assert named(read(table)) == [("a", "x"), ("a", "7"), ("b", "7"), ("b", "007")]


def test_forms_agree(table: Path, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    tsv = tmp_path / "t" / "table.tsv"
    tsv.write_text(ROWS.replace(",", "\t"))
    atomic = tmp_path / "t" / "table.inter"
    atomic.write_text(
        ROWS.replace(",", "\t").replace(
            "user\titem\trating\ttimestamp", "user_id:token\titem_id:token\trating:float\ttimestamp:float"
        )
    )
    packed = tmp_path / "t" / "table.parquet"
    columns = {"user": ["b", "a", "a", "b"], "item": ["007", "7", "x", "7"], "date": [30, 20, 10, 5]}
    parquet.write_table(pa.table({**columns, "date": pa.array(columns["date"], pa.timestamp("s"))}), packed)
    for path in (tsv, atomic, packed):
        assert named(read(path)) == named(read(table))


def test_whole_numbers_are_names_too(tmp_path: Path) -> None:
    path = tmp_path / "numbers.parquet"
    parquet.write_table(pa.table({"userId": [2, 1, 2], "movieId": [10, 10, 9]}), path)
    assert named(read(path)) == [("1", "10"), ("2", "10"), ("2", "9")]


def test_the_last_of_rows_that_repeat_counts(table: Path, caplog: pytest.LogCaptureFixture) -> None:
    table.write_text(ROWS + "a,x,5,99\n")
    with caplog.at_level(logging.WARNING):
        assert named(read(table))[:2] == [("a", "7"), ("a", "x")]
    assert "left out 1 row, whose user and item a later one repeats" in caplog.text


def test_the_core_says_how_many_rows_went(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "core.csv"
    path.write_text("user,item\na,x\na,y\nb,x\nb,y\nc,y\nc,z\nd,x\n")
    with caplog.at_level(logging.WARNING):
        assert named(read(path, core=2)) == [("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")]
    assert "core=2 left 4 of 7 rows" in caplog.text


def test_low_ratings_are_left_out(table: Path) -> None:
    assert named(read(table, min_rating=4)) == [("b", "7"), ("b", "007")]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        ("who,what\na,b\n", {}, "no column of users among who, what; name it: --data-set user=COLUMN"),
        ("user,item\n", {}, "holds no rows"),
        ("user,item\na,\n", {}, "has 1 row without item; fill in"),
        ("user,item\na,b\nc\n", {}, "cannot be read as a table"),
        ("user,item,time\na,b,soon\n", {}, "column time of .* is no number and no time"),
        ("user,item\na,b\n", {"min_rating": 3}, "has no ratings, which min_rating needs"),
        ("user,item\na,b\n", {"time": "when"}, "no column 'when', but user, item"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: str, options: dict[str, Any], said: str) -> None:
    path = tmp_path / "wrong.csv"
    path.write_text(content)
    with pytest.raises(zoo.DataError, match=said):
        read(path, **options)


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no table")
    with pytest.raises(zoo.DataError, match="is no table of users and items; give one of .csv"):
        table_files(tmp_path / "notes.txt")


def test_a_wheel_is_looked_into_and_never_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zipfile

    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    wheel = tmp_path / "recbole-1.2.1-py3-none-any.whl"
    inside = "recbole/dataset_example/ml-100k"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("recbole/__init__.py", "raise SystemExit('imported')")
        archive.writestr(f"{inside}/ml-100k.inter", "user_id:token\titem_id:token\n1\t2\n")
        archive.writestr(
            f"{inside}/ml-100k.item", 'item_id:token\tmovie_title:token_seq\trelease_year:token\n2\tA "B"\t1979\n'
        )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    for place in (wheel, tmp_path, tmp_path / "unpacked", tmp_path / "unpacked" / inside):
        path = ml_100k(place)
        found = read_interactions(
            [path], InteractionOptions(), name="ml", source="ml", titles=path.with_suffix(".item")
        )
        assert named(found) == [("1", "2")] and found.titles == {"2": 'A "B" (1979)'}


def test_where_it_is_not_is_said(tmp_path: Path) -> None:
    with pytest.raises(zoo.NotFoundError, match="its licence lets nobody pass it on: `pip install recbole==1.2.1"):
        ml_100k(tmp_path)


def test_numbers_are_small(table: Path) -> None:
    rows = read(table).rows
    assert rows.users.dtype == rows.items.dtype == np.int32
