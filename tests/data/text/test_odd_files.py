"""Odd files, each read by csv, json or pyarrow and by Zoo: equal rows, or one line of error that says where."""

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from zoo.data.text.columns import Columns
from zoo.data.text.records import open_records
from zoo.data.text.tables import read_table
from zoo.errors import DataError

Rows = Sequence[dict[str, Any]]
LONG = "word " * 2_000_000
HEAD = "text,label\n"
EXCEL = "text;label\r\n"
TABS = "text\tlabel\n"


@dataclass(frozen=True)
class By:
    """How the reference reads a file."""

    delimiter: str = ","
    quoting: int = csv.QUOTE_MINIMAL

    def __call__(self, path: Path) -> Rows:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        csv.field_size_limit(1 << 30)
        text = io.StringIO(content.decode("utf-8-sig"), newline="")
        head, *rows = filter(None, csv.reader(text, delimiter=self.delimiter, quoting=self.quoting))
        return [dict(zip(head, row, strict=True)) for row in rows]


def by_json(path: Path) -> Rows:
    found: Rows = json.loads(path.read_bytes().decode("utf-8-sig"))
    return found


def by_json_lines(path: Path) -> Rows:
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


Reference = Callable[[Path], Rows] | str

FILES: dict[str, tuple[str | bytes, Reference]] = {
    "plain.csv": (HEAD + "a,x\nb,y\n", By()),
    "no newline at the end.csv": (HEAD + "a,x\nb,y", By()),
    "windows.csv": (HEAD.replace("\n", "\r\n") + "a,x\r\nb,y\r\n", By()),
    "old mac.csv": (HEAD.replace("\n", "\r") + "a,x\rb,y\r", By()),
    "mixed ends.csv": (HEAD + "a,x\r\nb,y\rc,x\n", By()),
    "mark.csv": (b"\xef\xbb\xbf" + (HEAD + "a,x\nb,y\n").encode(), By()),
    "mark and quotes.csv": (b'\xef\xbb\xbf"text","label"\n"a","x"\n', By()),
    "empty lines.csv": (HEAD + "\na,x\n\n\nb,y\n\n", By()),
    "line ends in a cell.csv": (HEAD + '"Dear, John\nand\r\nJane",x\nb,y\n', By()),
    "doubled quotes.csv": (HEAD + '"she said ""no"", twice",x\nb,y\n', By()),
    "quote within a cell.csv": (HEAD + 'a 5" pipe,x\nb,y\n', By()),
    "separators.csv": (HEAD + "a\u2028b\x85c\x0cd\x0be,x\nb,y\n", By()),
    "empty cells.csv": (HEAD + ",x\nb,\n", By()),
    "blanks.csv": (HEAD + " a , x \nb,y\n", By()),
    "one column.csv": ("text\na\nb\n", By()),
    "semicolons.csv": (EXCEL + "Guten Tag, Welt;x\r\nb;y\r\n", By(";")),
    "semicolons and quotes.csv": (EXCEL + '"a; b";x\r\n"c\r\nd";y\r\n', By(";")),
    "tabs.csv": (TABS + "a, b\tx\nc; d, e\ty\n", By("\t")),
    "many columns.csv": (",".join(f"c{n}" for n in range(300)) + "\n" + ",".join(map(str, range(300))) + "\n", By()),
    "137 a cell of 10 MB.csv": (HEAD + f'"{LONG}",x\nb,y\n', By()),
    "137 a cell of 10 MB.tsv": (TABS + f"{LONG}\tx\nb\ty\n", By("\t")),
    "137 a cell of 10 MB.jsonl": (json.dumps({"text": LONG, "label": "x"}) + "\n", by_json_lines),
    "head alone.csv": (HEAD, By()),
    "capitals.CSV": (HEAD + "a,x\n", By()),
    "packed.csv.gz": (gzip.compress((HEAD + "a,x\n").encode()), By()),
    "plain.tsv": (TABS + "a, b; c\tx\nd\ty\n", By("\t")),
    "quotes around.tsv": (TABS + '"a\tb"\tx\n"c ""d"""\ty\n', By("\t")),
    "lines in a cell.tsv": (TABS + '"a\nb"\tx\nc\ty\n', By("\t")),
    "quote within a cell.tsv": (TABS + 'a 5" pipe\tx\nb\ty\n', By("\t")),
    "136 quote that swallows rows.tsv": (
        TABS + '"It was so\tx\nb\ty\nand he left."\tx\nc\ty\n',
        "line 2 of .* has a quotation mark that is closed in line 4, .*--data-set quoting=false",
    ),
    "136 quote at the end of a row.tsv": (TABS + 'a\t"x\nb\ty"\n', "line 2 of .* closed in line 3"),
    "136 quote before more.tsv": (TABS + 'a\tx\n"It" was\ty\n', "line 3 of .* is malformed: .*quoting=false"),
    "136 quote that never ends.tsv": (TABS + 'a\tx\n"b\ty\nc\tx\n', "line 3 of .* is malformed"),
    "136 too few cells.csv": (HEAD + "a,x\nb\n", "line 3 of .* has 1 fields for 2 columns"),
    "136 too many cells.csv": (HEAD + "a,x\n\nb, c,y\n", "line 4 of .* has 3 fields for 2 columns"),
    "136 too many cells after long ones.csv": (HEAD + '"a\nb",x\nb,c,y\n', "line 4 of .* has 3 fields"),
    "136 semicolons, too few cells.csv": (EXCEL + "a, b;x\r\nc, d\r\n", "line 3 of .* has 1 fields for 2 columns"),
    "136 two columns of a name.csv": ("text,label,text\na,x,b\n", "has two columns called 'text'; rename one"),
    "136 two columns of a name.tsv": ("text\tlabel\tlabel\na\tx\tb\n", "has two columns called 'label'"),
    "136 a key twice.jsonl": (
        '{"text": "a", "label": "x"}\n{"text": "b", "text": "c", "label": "y"}\n',
        "line 2 of .* has 'text' twice",
    ),
    "136 NaN.jsonl": ('{"text": "a", "label": 1}\n{"text": "b", "label": NaN}\n', "line 2 of .* is not JSON"),
    "empty.csv": ("", "is empty"),
    "empty lines alone.csv": ("\n\n\n", "is empty"),
    "latin.csv": (HEAD.encode() + b"caf\xe9,x\n", "is not UTF-8 at byte 14"),
    "utf-16.csv": ((HEAD + "a,x\n").encode("utf-16"), "is not UTF-8 at byte 0"),
    "broken.csv.gz": (gzip.compress(b"text\na\n")[:-9], "cannot be read"),
    "list.json": ('[{"text": "a\u2028b", "label": 1}, {"text": "c", "label": 2}]', by_json),
    "marked list.json": (b'\xef\xbb\xbf[\n{"text": "a"},\n{"text": "b"}\n]\n', by_json),
    "list within.json": ('{"data": [{"text": "a"}, {"text": "b"}]}', lambda path: by_json(path)["data"]),  # type: ignore[call-overload]
    "columns.json": (
        '{"text": ["a", "b"], "label": ["x", "y"]}',
        lambda path: [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}],
    ),
    "lines.json": ('{"text": "a"}\n\n{"text": "b"}\n', by_json_lines),
    "lines.ndjson": ('{"text": "a\x85b"}\r\n{"text": "b"}\r\n', by_json_lines),
    "lines that end in returns.jsonl": ('{"text": "a"}\r{"text": "b"}\r', by_json_lines),
    "prose.json": ("Once upon a time\nthere was a bear.\n", "is not JSON"),
    "numbers.json": ("[1, 2, 3]", "is no list of objects"),
    "uneven columns.json": ('{"text": ["a", "b"], "label": ["x"]}', "of different lengths"),
    "nested.json": ("[" * 100_000, "is not JSON"),
    "half a character.jsonl": ('{"text": "\\ud800"}\n', "line 1 of .* is not JSON"),
    "list in lines.jsonl": ('["a", "x"]\n', "line 1 of .* is no object with names"),
}


@pytest.mark.parametrize("name", FILES)
def test_137_odd_files_give_the_rows_of_csv_and_json_or_one_line_of_error(tmp_path: Path, name: str) -> None:
    content, reference = FILES[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if isinstance(reference, str):
        with pytest.raises(DataError, match=reference) as caught:
            read_table(path)
        assert caught.value.exit_code == 9 and "\n" not in str(caught.value) and str(path) in str(caught.value)
        return
    columns = read_table(path).columns
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    assert rows == reference(path)


def test_136_quotation_marks_are_text_where_that_is_said(tmp_path: Path) -> None:
    rows = [('"It was so', "x"), ("b", "y"), ('and he left."', "x"), ('"c', "y"), ("5 inch", "x"), ('"', "y")] * 40
    path = tmp_path / "all.tsv"
    path.write_text(TABS + "".join(f"{text}\t{label}\n" for text, label in rows), encoding="utf-8")
    with pytest.raises(DataError, match="line 2 of .* closed in line 4"):
        open_records(path, Columns())
    splits = open_records(path, Columns(quoting=False)).splits
    texts = [text for split in splits.values() for text in split.texts]  # type: ignore[union-attr]
    assert sorted(texts) == sorted(text for text, _ in rows) and len(rows) == 240
    reference = By("\t", csv.QUOTE_NONE)(path)
    assert sorted(row["text"] for row in reference) == sorted(texts)
    path.write_text(TABS + '"a\nb\tc"\tx\n' * 10)
    assert read_table(path, quoting=True).columns["text"] == ("a\nb\tc",) * 10


def test_136_parquet_is_read_as_pyarrow_has_it(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    from pyarrow import parquet

    table = pyarrow.table(
        {"text": ["a\u2028b", None, ""], "label": [1.0, float("nan"), 2.0], "tags": [["a"], [], None]}
    )
    parquet.write_table(table, tmp_path / "odd.parquet")
    columns = read_table(tmp_path / "odd.parquet").columns
    assert repr(columns) == repr(table.to_pydict())
    twice = pyarrow.Table.from_arrays([pyarrow.array(["a"]), pyarrow.array(["b"])], names=["text", "text"])
    parquet.write_table(twice, tmp_path / "twice.parquet")
    with pytest.raises(DataError, match="two columns called 'text'"):
        read_table(tmp_path / "twice.parquet")
