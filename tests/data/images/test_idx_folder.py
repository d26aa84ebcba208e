"""A folder of idx files, as MNIST and the sets like it are given out."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from zoo.data.images.mnist import fashion_mnist_sample
from zoo.data.images.open import open_dataset
from zoo.errors import DataError


def write(folder: Path, train: list[int], test: list[int], packed: bool) -> None:
    for name, labels in (("train", train), ("t10k", test)):
        images = np.arange(len(labels) * 4, dtype=np.uint8)
        files = {
            f"{name}-images-idx3-ubyte": struct.pack(">HBB3I", 0, 8, 3, len(labels), 2, 2) + images.tobytes(),
            f"{name}-labels-idx1-ubyte": struct.pack(">HBBI", 0, 8, 1, len(labels)) + bytes(labels),
        }
        for file, content in files.items():
            (folder / (f"{file}.gz" if packed else file)).write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("packed", [True, False])
def test_classes_are_the_numbers_that_training_images_have(tmp_path: Path, packed: bool) -> None:
    write(tmp_path, [1, 2, 26, 1], [26, 1], packed)
    dataset = open_dataset(str(tmp_path), data_dir=None, spec=None)
    assert dataset.classes == ("1", "2", "26")
    assert [dataset.splits[name].targets["labels"].tolist() for name in ("train", "test")] == [[0, 1, 2, 0], [2, 0]]
    dataset.check("labels")
    assert open_dataset(str(tmp_path), data_dir=None, spec=None, image_size=(4, 4), channels=3).image_size == (4, 4)


def test_a_class_that_is_not_learnt_is_named(tmp_path: Path) -> None:
    write(tmp_path, [1, 2], [3], packed=False)
    with pytest.raises(DataError, match="test images of class 3, which no training image has"):
        open_dataset(str(tmp_path), data_dir=None, spec=None)


def test_the_files_of_a_named_set_keep_their_bytes() -> None:
    named = fashion_mnist_sample(None)
    found = open_dataset(named.source, data_dir=None, spec=None)
    assert np.array_equal(found.splits["test"].images, named.splits["test"].images)
    assert np.array_equal(found.splits["test"].targets["labels"], named.splits["test"].targets["labels"])
