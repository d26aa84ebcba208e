"""Data sets: read strictly, split and gathered in an order that two integers decide."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.images.pets import pictures
from zoo.data.images.dataset import ImageDataset, ImageSplit
from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.mnist import fashion_mnist, fashion_mnist_sample
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import Scaling
from zoo.errors import DataError, UsageError

SHARED = Path(__file__).parents[4] / "shared" / "data"


def test_the_sample_is_what_it_says() -> None:
    dataset = fashion_mnist_sample(None)
    assert [np.bincount(split.labels).tolist() for split in dataset.splits.values()] == [[200] * 10, [50] * 10]
    folder = Path(fashion_mnist_sample.__code__.co_filename).parent / "fashion_mnist_sample"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_200_000


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the real data in ../shared/data")
def test_fashion_mnist_in_full() -> None:
    dataset = fashion_mnist(SHARED)
    assert [split.images.shape for split in dataset.splits.values()] == [(60_000, 1, 28, 28), (10_000, 1, 28, 28)]


def test_091_missing_data_set_names_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=str(tmp_path)) as caught:
        fashion_mnist(tmp_path)
    assert caught.value.exit_code == 9


def test_folder_of_classes_is_split_and_cached(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pets")
    dataset = open_image_folder(folder)
    assert dataset.classes == ("cat", "dog")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 8, "test": 2}
    assert (dataset.image_size, dataset.channels) == ((6, 8), 3)
    assert isinstance(open_image_folder(folder).splits["train"].images, np.memmap)


def test_folder_without_labels(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pets") / "cat"
    with pytest.raises(DataError, match="no labels"):
        open_image_folder(folder).check("labels")


def test_092_single_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only one class"):
        open_image_folder(pictures(tmp_path / "pets", classes=("cat",))).check("labels")


def test_092_empty_class_label_beyond_the_classes_and_count_that_differs() -> None:
    images = np.zeros((3, 1, 2, 2), np.uint8)

    def dataset(labels: list[int], classes: tuple[str, ...] = ("a", "b", "c")) -> ImageDataset:
        split = ImageSplit(images, np.array(labels, np.int64))
        splits = {"train": split, "test": split}
        return ImageDataset(name="x", splits=splits, classes=classes, license="", source="here", fingerprint="")

    with pytest.raises(DataError, match="no training images of c") as caught:
        dataset([0, 1, 1]).check("labels")
    assert caught.value.exit_code == 9
    for label in (3, -1):
        with pytest.raises(DataError, match=f"label of class {label} for 3 classes"):
            dataset([0, 1, label])
    with pytest.raises(DataError, match="3 train images but 2 labels"):
        dataset([0, 1])


def test_subset_is_even_and_seeded() -> None:
    dataset = fashion_mnist_sample(None)
    first, again, other = (dataset.subset(100, seed).splits["train"] for seed in (1, 1, 2))
    assert np.bincount(first.labels).tolist() == [10] * 10
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, other.images)
    with pytest.raises(UsageError):
        dataset.subset(9, 0)


def test_hold_out_moves_and_loses_nothing() -> None:
    dataset = fashion_mnist_sample(None).hold_out(0.1, 0)
    assert {name: len(split) for name, split in dataset.splits.items()} == {
        "train": 1800,
        "test": 500,
        "validation": 200,
    }


def test_a_crop_keeps_proportions_and_takes_the_middle(tmp_path: Path) -> None:
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[10:30, 50:70] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    (stretched,), _ = decode_all([tmp_path / "wide.png"], (20, 20), 3)
    covering = Scaling(0.5, "center", interpolation="nearest")
    (cropped,), _ = decode_all([tmp_path / "wide.png"], (20, 20), 3, scaling=covering)
    assert stretched.min() == 0
    assert cropped.min() == 255  # covered by 120 x 40, of which the middle is the white square


def test_pictures_alone_are_enough_where_nothing_else_is_learnt() -> None:
    pictures = np.zeros((4, 1, 2, 2), np.uint8)
    splits = {"train": ImageSplit(pictures), "test": ImageSplit(pictures)}
    dataset = ImageDataset(name="bare", splits=splits, classes=(), license="-", source="memory", fingerprint="")
    dataset.check("images")
    with pytest.raises(DataError, match="no labels"):
        dataset.check("labels")
