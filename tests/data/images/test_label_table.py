"""Labels of pictures from a table beside them: one or several of each."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from zoo.data.images.dataset import ImageDataset
from zoo.data.images.image_folder import open_image_folder
from zoo.errors import DataError


def folder_of(path: Path, table: str, lines: Mapping[str, str], header: str = "file,labels") -> Path:
    """Write a picture for each name, and the table of their labels."""
    for place, name in enumerate(lines):
        picture = path / name
        picture.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((4, 5, 3), 10 * place, np.uint8)).save(picture)
    text = "\n".join([header, *(f"{name},{labels}" for name, labels in lines.items())])
    (path / table).write_text(text + "\n", encoding="utf-8")
    return path


def labels(dataset: ImageDataset) -> dict[int, list[int]]:
    """Return the labels of each picture by its brightness."""
    return {
        int(image.max()) // 10: row.tolist()
        for split in dataset.splits.values()
        for image, row in zip(np.asarray(split.images), split.targets["labels"], strict=True)
    }


SEVERAL = {"a.png": "dog|cat", "b.png": "", "c.png": " cat ", "d.png": "dog", "e.png": "sun|dog|sun"}


def test_several_labels_of_each_picture(tmp_path: Path) -> None:
    dataset = open_image_folder(folder_of(tmp_path, "labels.csv", SEVERAL))
    assert dataset.classes == ("cat", "dog", "sun")
    assert labels(dataset) == {0: [1, 1, 0], 1: [0, 0, 0], 2: [1, 0, 0], 3: [0, 1, 0], 4: [0, 1, 1]}
    assert dataset.splits["train"].targets["labels"].dtype == np.uint8
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 4, "test": 1}


def test_metadata_of_each_split_as_the_hub_has_it(tmp_path: Path) -> None:
    for split, lines in (("train", {"a.png": "x|y", "sub/b.png": "y"}), ("test", {"c.png": "x"})):
        folder_of(tmp_path / split, "metadata.csv", lines, header="file_name,labels")
    dataset = open_image_folder(tmp_path)
    assert dataset.splits["train"].targets["labels"].tolist() == [[1, 1], [0, 1]]
    assert dataset.splits["test"].targets["labels"].tolist() == [[1, 0]]
    dataset.check("labels")


def test_folders_called_train_and_test_split_one_table(tmp_path: Path) -> None:
    lines = {"train/a.png": "x", "train/b.png": "y", "val/c.png": "x|y"}
    dataset = open_image_folder(folder_of(tmp_path, "metadata.csv", lines, header="file_name,labels"))
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 2, "test": 1}


def test_a_column_says_the_split(tmp_path: Path) -> None:
    lines = {"a.png": "x,train", "b.png": "y,test", "c.png": "y,train", "d.png": "x,validation"}
    dataset = open_image_folder(folder_of(tmp_path, "labels.csv", lines, header="file,labels,split"))
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 2, "test": 1, "validation": 1}


def test_a_column_called_label_has_one_for_each_picture(tmp_path: Path) -> None:
    lines = {"a.png": "x", "b.png": "y|z", "c.png": "x"}
    dataset = open_image_folder(folder_of(tmp_path, "labels.csv", lines, header="file,label"))
    assert dataset.classes == ("x", "y|z")
    assert dataset.splits["train"].targets["labels"].ndim == 1


def test_other_labels_are_other_data(tmp_path: Path) -> None:
    before = open_image_folder(folder_of(tmp_path, "labels.csv", SEVERAL)).fingerprint
    after = open_image_folder(folder_of(tmp_path, "labels.csv", {**SEVERAL, "d.png": "cat"}))
    assert after.fingerprint != before
    assert labels(after)[3] == [1, 0, 0]


def test_skip_bad_leaves_out_the_labels_too(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "labels.csv", SEVERAL)
    (folder / "e.png").write_bytes(b"no picture")
    assert labels(open_image_folder(folder, skip_bad=1)) == {0: [1, 1, 0], 1: [0, 0, 0], 2: [1, 0, 0], 3: [0, 1, 0]}


def test_metadata_without_labels_is_passed_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "metadata.csv", {"a.png": "a cat", "b.png": "a dog"}, header="file_name,text")
    assert not open_image_folder(folder).labelled


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("file,labels\n../x.png,a\n", "line 2 of .*labels.csv names '../x.png', which is outside"),
        ("file,labels\n/etc/x.png,a\n", "line 2 of .* names '/etc/x.png', which is outside"),
        ("file,labels\na.png,x\nnone.png,y\n", "line 3 of .* lists the image none.png, which does not exist"),
        ("file,labels\na.png,x\na.png,y\n", "line 3 of .* names a.png again, after line 2"),
        ("file,labels\na.png,x,z\n", "line 2 of .* has 3 fields for 2 columns"),
        ("file,labels\na.png\n", "line 2 of .* has 1 fields for 2 columns"),
        ("path,tags\na.png,x\n", "has the columns path, tags; it needs file and labels"),
        ("file,label\na.png,\n", "line 2 of .* has no label"),
        ("file,labels,split\na.png,x,learning\n", "line 2 of .* has the split 'learning'"),
        ("file,labels,split\na.png,x,train\n", "have no test split"),
        ("file,labels\n", "has no lines"),
        ('file,labels\n"a.png,x\n', "line 2 of .* is malformed"),
        ("", "is empty"),
        ("file,labels,labels\na.png,x,y\n", "has two columns called 'labels'"),
        ("file;labels\na.png;x;y\n", "line 2 of .* has 3 fields for 2 columns"),
    ],
)
def test_092_bad_tables(tmp_path: Path, text: str, match: str) -> None:
    folder_of(tmp_path, "labels.csv", SEVERAL)
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=match) as caught:
        open_image_folder(tmp_path)
    assert caught.value.exit_code == 9 and "\n" not in str(caught.value)


def test_092_a_table_that_is_no_text(tmp_path: Path) -> None:
    folder_of(tmp_path, "labels.csv", SEVERAL)
    (tmp_path / "labels.csv").write_bytes(b"file,labels\n\xff\xfe,x\n")
    with pytest.raises(DataError, match="labels.csv is not UTF-8 at byte 12"):
        open_image_folder(tmp_path)


def test_092_a_class_without_training_pictures(tmp_path: Path) -> None:
    lines = {"a.png": "x,train", "b.png": "y,test", "c.png": "x,train"}
    dataset = open_image_folder(folder_of(tmp_path, "labels.csv", lines, header="file,labels,split"))
    with pytest.raises(DataError, match="no training images of y"):
        dataset.check("labels")


@pytest.mark.parametrize("sign", [";", "\t"])
def test_136_a_table_may_be_separated_otherwise(tmp_path: Path, sign: str) -> None:
    folder = folder_of(tmp_path, "labels.csv", SEVERAL)
    text = (folder / "labels.csv").read_text().replace(",", sign)
    (folder / "labels.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert labels(open_image_folder(folder)) == {0: [1, 1, 0], 1: [0, 0, 0], 2: [1, 0, 0], 3: [0, 1, 0], 4: [0, 1, 1]}


def test_a_class_of_one_picture_is_learnt_wherever_its_hash_falls(tmp_path: Path) -> None:
    for number in range(5):
        lines = {f"{place}.png": ("x", "y")[place % 2] for place in range(9)} | {f"alone{number}.png": "z"}
        dataset = open_image_folder(folder_of(tmp_path / str(number), "labels.csv", lines, header="file,label"))
        dataset.check("labels")
        alone = tmp_path / str(number) / f"alone{number}.png"
        Image.fromarray(np.full((4, 5, 3), 100 + number, np.uint8)).save(alone)  # at another place among the hashes
        open_image_folder(tmp_path / str(number)).check("labels")
