"""Plain text: its splits, its pieces, and files that are none."""

from pathlib import Path

import pytest

from zoo.data.text import documents
from zoo.data.text.documents import open_documents
from zoo.errors import DataError

VERSE = "Füllest wieder Busch und Tal\nStill mit Nebelglanz,\nLösest endlich auch einmal\nMeine Seele ganz;\n"


def text_of(path: Path, split: str) -> str:
    return "".join(piece for piece, _ in open_documents(path).splits[split].pieces())


def test_the_last_tenth_of_a_file_is_to_test_on(tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_text(VERSE * 10, encoding="utf-8")
    train, test = (text_of(path, split) for split in ("train", "test"))
    assert train + test == VERSE * 10
    assert abs(len(test.encode()) / len((VERSE * 10).encode()) - 0.1) < 0.005
    assert open_documents(path).name == "verse"


def test_a_folder_has_its_own_splits_and_whole_lines_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "_BYTES_AT_ONCE", 40)
    for name, content in (("train/b.txt", VERSE), ("train/a.txt", "ein Wort"), ("test.txt", "zwei kurze Worte")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "train" / "picture.png").write_bytes(b"\x89PNG")
    splits = open_documents(tmp_path).splits
    pieces = list(splits["train"].pieces())
    assert [ends for _, ends in pieces] == [True, False, True]
    assert pieces[0][0] == "ein Wort" and pieces[1][0].endswith("\n")
    assert "".join(text for text, _ in pieces[1:]) == VERSE
    assert (len(splits["train"]), len(splits["test"])) == (2, 1)


def test_the_fingerprint_is_that_of_the_contents(tmp_path: Path) -> None:
    path = tmp_path / "verse.txt"
    path.write_text(VERSE * 3, encoding="utf-8")
    first = open_documents(path).fingerprint
    assert open_documents(path).fingerprint == first
    path.write_text(VERSE * 3 + "und", encoding="utf-8")
    assert open_documents(path).fingerprint != first


def test_a_folder_without_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no text in"):
        open_documents(tmp_path)


def test_bytes_that_are_no_utf8_are_named_by_their_place(tmp_path: Path) -> None:
    path = tmp_path / "latin.txt"
    path.write_bytes(VERSE.encode("latin-1") * 3)
    with pytest.raises(DataError, match="latin.txt is not UTF-8 at byte 1"):
        text_of(path, "train")


@pytest.mark.parametrize("name", ["valid", "validation", "val", "dev"])
def test_a_folder_may_have_a_split_to_validate_with(tmp_path: Path, name: str) -> None:
    for split in ("train", name):
        (tmp_path / f"{split}.txt").write_text(split)
    assert {split: text_of(tmp_path, split) for split in ("train", "test")} == {"train": "train", "test": name}
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "a.txt").write_text("test")
    assert {split: text_of(tmp_path, split) for split in ("test", "validation")} == {"test": "test", "validation": name}
