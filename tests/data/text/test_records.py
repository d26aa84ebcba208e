"""Tables and paired files: columns by name, splits by files, and every way in which they can be wrong."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from zoo.data.text.columns import Columns
from zoo.data.text.records import is_records, open_records
from zoo.errors import DataError

ROWS = [("red apples", "fruit"), ("green beans", "vegetable"), ("ripe pears", "fruit"), ("raw carrots", "vegetable")]


def write_csv(path: Path, rows: list[tuple[str, ...]], head: str = "text,label", sign: str = ",") -> None:
    path.write_text("\n".join([head.replace(",", sign), *(sign.join(row) for row in rows)]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(("suffix", "sign"), [(".csv", ","), (".tsv", "\t")])
def test_tables_are_read_by_their_columns(tmp_path: Path, suffix: str, sign: str) -> None:
    for split in ("train", "test"):
        write_csv(tmp_path / f"{split}{suffix}", ROWS, sign=sign)
    dataset = open_records(tmp_path, Columns())
    assert dataset.classes == ("fruit", "vegetable")
    assert list(dataset.splits["train"].texts) == [text for text, _ in ROWS]  # type: ignore[arg-type]
    assert np.array_equal(dataset.splits["test"].labels, [0, 1, 0, 1])


def test_columns_of_other_names_are_named(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_csv(tmp_path / f"{split}.csv", ROWS, head="body,topic of it")
    dataset = open_records(tmp_path, Columns(text="body", label="topic of it"))
    assert dataset.classes == ("fruit", "vegetable")
    with pytest.raises(DataError, match=r"no column 'title' for --text; it has body, topic of it"):
        open_records(tmp_path, Columns(text="title"))


def test_a_table_without_a_head_has_numbered_columns(tmp_path: Path) -> None:
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_text('"1","a, b"\n"2","c"\n')
    dataset = open_records(tmp_path, Columns(text="2", label="1"))
    assert list(dataset.splits["train"].texts) == ["a, b", "c"] and dataset.classes == ("1", "2")  # type: ignore[arg-type]


def test_json_lines_may_have_several_labels_and_pairs(tmp_path: Path) -> None:
    rows = ['{"text": "x", "pair": "y", "labels": ["b", "a"]}', '{"text": ["z", "w"], "pair": "", "labels": []}']
    for split in ("train", "test"):
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows))
    split = open_records(tmp_path, Columns()).splits["train"]
    assert list(split.texts) == ["x", "z w"] and list(split.pairs or ()) == ["y", ""]  # type: ignore[arg-type]
    assert split.labels is not None and split.labels.tolist() == [[1, 1], [0, 0]]


def test_parquet_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow.parquet import write_table

    for split in ("train", "test"):
        write_table(pyarrow.table({"text": ["a", "b"], "label": [1, 0]}), tmp_path / f"{split}-00000.parquet")
    dataset = open_records(tmp_path, Columns())
    assert dataset.classes == ("0", "1") and dataset.splits["test"].labels is not None


def test_a_single_table_is_split_by_what_its_rows_say(tmp_path: Path) -> None:
    rows = [(f"text number {number}", "ab"[number % 2]) for number in range(50)]
    write_csv(tmp_path / "all.csv", rows)
    splits = open_records(tmp_path / "all.csv", Columns()).splits
    assert (len(splits["train"]), len(splits["test"])) == (40, 10)
    write_csv(tmp_path / "more.csv", [("a new one", "a"), *rows[1:]])
    moved = set(splits["test"].texts) ^ set(open_records(tmp_path / "more.csv", Columns()).splits["test"].texts)  # type: ignore[arg-type]
    assert len(moved) <= 3


def test_paired_files_belong_together_line_by_line(tmp_path: Path) -> None:
    for split in ("train", "test_2016", "val"):
        (tmp_path / f"{split}.de").write_text("ein\nzwei\n", encoding="utf-8")
        (tmp_path / f"{split}.en.gz").write_bytes(gzip.compress(b"one\ntwo\n"))
    assert is_records(tmp_path)
    dataset = open_records(tmp_path, Columns(text="de", target="en"))
    assert list(dataset.splits["test"].target_text or ()) == ["one", "two"]
    assert set(dataset.splits) == {"train", "test", "validation"}
    for end in ("de", "en.gz"):
        (tmp_path / f"test_2016.{end}").unlink()
    assert set(open_records(tmp_path, Columns(text="de", target="en")).splits) == {"train", "test"}
    with pytest.raises(DataError, match="choose source and target, .*--text de --target en"):
        open_records(tmp_path, Columns())
    (tmp_path / "train.de").write_text("ein\n")
    with pytest.raises(DataError, match="must be pairs"):
        open_records(tmp_path, Columns(text="de", target="en"))


def test_a_label_unseen_in_training_is_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", ROWS)
    write_csv(tmp_path / "test.csv", [("salt", "spice")])
    with pytest.raises(DataError, match="the label 'spice', which no training text has"):
        open_records(tmp_path, Columns())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"text,label\na,b,c\n", "has 3 fields for 2 columns"),
        (b'text,label\n"a,b\n', "is malformed"),
        (b"text,label\n\xff,b\n", "is not UTF-8 at byte 11"),
        (b"text,label\na,b\n\nsalt,\n", "column 'label' in line 4 of .* holds no label"),
        (b"words,label\na,b\n", "choose the text column: --text NAME"),
    ],
)
def test_a_broken_table_says_where(tmp_path: Path, content: bytes, message: str) -> None:
    write_csv(tmp_path / "test.csv", ROWS)
    (tmp_path / "train.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        open_records(tmp_path, Columns())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 .* is not JSON"),
        ("[]", "is no object"),
        ('{"text": null, "label": "a"}', "holds nothing, not text"),
    ],
)
def test_a_broken_line_of_json_says_where(tmp_path: Path, line: str, message: str) -> None:
    for split in ("train", "test"):
        (tmp_path / f"{split}.jsonl").write_text(line)
    with pytest.raises(DataError, match=message):
        open_records(tmp_path, Columns())


def test_two_tables_for_a_split_are_refused(tmp_path: Path) -> None:
    for name in ("train.csv", "train.tsv", "test.csv"):
        write_csv(tmp_path / name, ROWS)
    with pytest.raises(DataError, match="both train.csv and train.tsv"):
        open_records(tmp_path, Columns())


def test_a_table_of_one_row_cannot_be_split(tmp_path: Path) -> None:
    write_csv(tmp_path / "all.csv", ROWS[:1])
    with pytest.raises(DataError, match="need more"):
        open_records(tmp_path / "all.csv", Columns())


def test_136_numbers_of_a_column_are_one_class_whole_or_not(tmp_path: Path) -> None:
    rows = ['{"text": "a", "label": 1}', '{"text": "b", "label": 1.0}', '{"text": "c", "label": 2}'] * 5
    (tmp_path / "train.jsonl").write_text("\n".join(rows))
    write_csv(tmp_path / "test.csv", [("a", "1.0"), ("b", "2")])
    dataset = open_records(tmp_path, Columns())
    assert dataset.classes == ("1", "2")
    found = {name: split.labels.tolist() for name, split in dataset.splits.items() if split.labels is not None}
    assert found == {"train": [0, 0, 1] * 5, "test": [0, 1]}
    write_csv(tmp_path / "test.csv", [("a", "1"), ("b", "2.5")])
    with pytest.raises(DataError, match="the label '2.5', which no training text has"):
        open_records(tmp_path, Columns())


def test_136_nan_is_no_class(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import parquet

    for values, where in (([1.0, 2.0, float("nan")], "row 3"), ([None, 1.0, 2.0], "row 1")):
        for split in ("train", "test"):
            parquet.write_table(
                pyarrow.table({"text": ["a", "b", "c"], "label": values}), tmp_path / f"{split}.parquet"
            )
        with pytest.raises(DataError, match=f"column 'label' in {where} of .*test.parquet holds no label"):
            open_records(tmp_path, Columns())
    parquet.write_table(pyarrow.table({"text": [1.0, float("nan")]}), tmp_path / "train.parquet")
    write_csv(tmp_path / "test.csv", ROWS)
    (tmp_path / "test.parquet").unlink()
    with pytest.raises(DataError, match="column 'text' in row 2 of .* holds nothing, not text"):
        open_records(tmp_path, Columns())


@pytest.mark.parametrize("rows", [[("a", "-1"), ("b", "-1")], [("a", ""), ("b", "")], None])
def test_136_a_table_that_hides_its_labels_counts_as_absent(
    tmp_path: Path, rows: list[tuple[str, ...]] | None, caplog: pytest.LogCaptureFixture
) -> None:
    write_csv(tmp_path / "train.csv", ROWS * 5)
    write_csv(tmp_path / "valid.csv", ROWS)
    write_csv(tmp_path / "test.csv", rows or [("a",), ("b",)], head="text,label" if rows else "text")
    assert {name: len(split) for name, split in open_records(tmp_path, Columns()).splits.items()} == {
        "train": 20,
        "test": 4,
    }
    assert "hides the labels of its test split" in caplog.text
    (tmp_path / "valid.csv").unlink()
    assert {name: len(split) for name, split in open_records(tmp_path, Columns()).splits.items()} == {
        "train": 16,
        "test": 4,
    }
    write_csv(tmp_path / "train.csv", ROWS * 5, head="text,other")
    assert all(split.labels is None for split in open_records(tmp_path, Columns()).splits.values())


def test_minus_one_beside_other_labels_is_a_class(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_csv(tmp_path / f"{split}.csv", [("bad", "-1"), ("good", "1")])
    assert open_records(tmp_path, Columns()).classes == ("-1", "1")


def test_a_class_of_one_row_is_learnt_wherever_its_hash_falls(tmp_path: Path) -> None:
    for number in range(60):
        rows = [(f"text {number} {place}", "ab"[place % 2]) for place in range(20)]
        write_csv(tmp_path / "all.csv", [*rows, (f"alone {number}", "c")])
        splits = open_records(tmp_path / "all.csv", Columns()).splits
        assert f"alone {number}" in splits["train"].texts  # type: ignore[operator]
        assert len(splits["test"]) == 4
    write_csv(tmp_path / "all.csv", [(f"text {place}", str(place)) for place in range(20)])
    with pytest.raises(DataError, match="has no label twice"):
        open_records(tmp_path / "all.csv", Columns())


def test_rows_without_labels_stay_where_earlier_versions_had_them(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", [(f"text {n}", "ab"[n % 2]) for n in range(10)], head="text,target")
    dataset = open_records(tmp_path / "rows.csv", Columns(target="target"))
    assert list(dataset.splits["test"].texts) == ["text 3", "text 5"]  # type: ignore[arg-type]
    assert dataset.fingerprint.startswith("aebc15d6ecf5")


def test_rows_of_classes_are_split_within_each_and_are_other_data_than_before(tmp_path: Path) -> None:
    write_csv(tmp_path / "rows.csv", [(f"text {n}", "aaab"[n % 4]) for n in range(40)])
    dataset = open_records(tmp_path / "rows.csv", Columns())
    test = dataset.splits["test"].labels
    assert test is not None and np.bincount(test).tolist() == [6, 2], "a fifth of 30 and of 10"
    more = [(f"text {n}", "aaab"[n % 4]) for n in range(48)]
    write_csv(tmp_path / "rows.csv", more)
    after = open_records(tmp_path / "rows.csv", Columns()).splits["test"].texts
    assert len(set(dataset.splits["test"].texts) & set(after)) >= 6, "rows stay when others come"  # type: ignore[arg-type]
    write_csv(tmp_path / "few.csv", [(f"text {n}", "ab"[n % 2]) for n in range(10)])
    assert not open_records(tmp_path / "few.csv", Columns()).fingerprint.startswith("0b6232435ffb")


def test_equal_texts_stay_on_one_side_but_for_case_and_blanks(tmp_path: Path) -> None:
    rows = [(text, "ab"[n % 2]) for n in range(40) for text in (f"text {n}", f"Text  {n} ", f"TEXT {n}")]
    write_csv(tmp_path / "rows.csv", rows)
    splits = open_records(tmp_path / "rows.csv", Columns()).splits
    plain = {name: {" ".join(text.lower().split()) for text in split.texts} for name, split in splits.items()}  # type: ignore[union-attr]
    assert not plain["train"] & plain["test"] and len(splits["test"]) == 24


def test_a_line_counts_texts_that_are_in_train_and_elsewhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for split, texts in (("train", ["one", "two", "three"]), ("test", ["Two", "four", "three "]), ("val", ["five"])):
        write_csv(tmp_path / f"{split}.csv", [(text, "ab"[place % 2]) for place, text in enumerate(texts)])
    with caplog.at_level("WARNING", "zoo"):
        open_records(tmp_path, Columns())
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("2 of 3 test samples of ") and "first 'Two' and 'two'" in line
