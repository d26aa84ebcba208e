"""Texts in a folder a class: labelled where labels are learnt, plain text elsewhere."""

from pathlib import Path

import pytest

from zoo.data.text.columns import Columns
from zoo.data.text.dataset import Documents
from zoo.data.text.open import open_texts
from zoo.data.text.tokenize import TokenLayout, tokenize
from zoo.errors import DataError
from zoo.weights.tokenizer import TextInputs
from zoo.weights.tokenizer_training import make_tokenizer


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xef\xbb\xbf" + f"about {name}\nand more\n".encode())


def test_folders_are_classes_where_labels_are_learnt(tmp_path: Path) -> None:
    write(tmp_path, *(f"sport/{place}.txt" for place in range(10)), *(f"art/in/{place}.md" for place in range(10)))
    write(tmp_path, "sport/.hidden.txt", ".git/x.txt", "art/scan.pdf")
    dataset = open_texts(str(tmp_path), data_dir=None, spec=None, columns=Columns(), labelled=True)
    assert dataset.classes == ("art", "sport")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 16, "test": 4}
    for split in dataset.splits.values():
        for text, label in zip(split.texts, split.labels, strict=True):  # type: ignore[arg-type]
            assert text.startswith(f"about {dataset.classes[label]}/") and text.endswith("\nand more")
    plain = open_texts(str(tmp_path), data_dir=None, spec=None, columns=Columns())
    assert isinstance(plain.splits["train"].texts, Documents) and plain.splits["train"].labels is None


@pytest.mark.parametrize("valid", ["valid", "test"])
def test_splits_are_folders_of_classes(tmp_path: Path, valid: str, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, "train/pos/1.txt", "train/neg/1.txt", f"{valid}/pos/2.txt", "train/urls.txt", "README.md")
    dataset = open_texts(str(tmp_path), data_dir=None, spec=None, columns=Columns(), labelled=True)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 2, "test": 1}
    assert dataset.classes == ("neg", "pos")
    assert "left out 1 text beside class folders, first" in caplog.text and "urls.txt" in caplog.text


def test_another_label_is_other_data(tmp_path: Path) -> None:
    found = set()
    for name in ("a", "b"):
        write(
            tmp_path / name, *(f"x/{place}.txt" for place in range(5)), *(f"{name}/{place}.txt" for place in range(5))
        )
        path = str(tmp_path / name)
        found.add(open_texts(path, data_dir=None, spec=None, columns=Columns(), labelled=True).fingerprint)
    assert len(found) == 2


def test_a_folder_without_classes_is_told_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "a.txt", "b.txt")
    texts = open_texts(str(tmp_path), data_dir=None, spec=None, columns=Columns(), labelled=True)
    with pytest.raises(DataError, match="is plain text, which has no labels; give a table, .* <class>/"):
        tokenize(texts, TextInputs(make_tokenizer("bytes", []), 8), TokenLayout("labels"))
