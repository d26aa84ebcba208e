"""Data sets: read strictly, decoded once, gathered in an order that two integers decide."""

import struct
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zoo.data.batches import TensorBatches
from zoo.data.idx import read_idx
from zoo.data.image_folder import open_image_folder
from zoo.data.mnist import fashion_mnist, fashion_mnist_sample
from zoo.errors import DataError, UsageError

SHARED = Path(__file__).parents[3] / "shared" / "data"


def pictures(folder: Path, count: int = 5, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    random = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for place in range(count):
            Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8)).save(folder / name / f"{place}.png")
    return folder


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


@given(content=st.binary(max_size=300), prefix=st.sampled_from([b"", b"\x00\x00\x08\x01", b"\x1f\x8b"]))
def test_random_idx_files_are_refused(content: bytes, prefix: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(prefix + content)
    try:
        array = read_idx(path)
    except DataError:
        return
    assert struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes() == (prefix + content)[4:]


@given(count=st.integers(1, 50), size=st.integers(1, 12), epoch=st.integers(0, 3), data=st.data())
def test_every_sample_comes_once_and_resuming_goes_on(count: int, size: int, epoch: int, data: st.DataObject) -> None:
    images = np.arange(count, dtype=np.uint8).reshape(count, 1, 1, 1)
    cpu = torch.device("cpu")
    batches = TensorBatches(images, None, batch_size=size, seed=3, shuffle=True, drop_last=False, device=cpu)
    whole = [batch["images"].mul(255).round().int().flatten().tolist() for batch in batches.epoch(epoch)]
    assert sorted(sum(whole, [])) == list(range(count))
    start = data.draw(st.integers(0, len(batches)))
    rest = [batch["images"].mul(255).round().int().flatten().tolist() for batch in batches.epoch(epoch, start)]
    assert rest == whole[start:]


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
        open_image_folder(folder).check_labels()


def test_091_bad_picture_is_named_or_left_out(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pets")
    (folder / "cat" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"cat/0\.png"):
        open_image_folder(folder)
    assert sum(len(split) for split in open_image_folder(folder, skip_bad=1).splits.values()) == 9


def test_092_single_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one class alone"):
        open_image_folder(pictures(tmp_path / "pets", classes=("cat",))).check_labels()


def test_093_picture_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pictures(tmp_path / "pets")
    monkeypatch.setattr("zoo.data.pictures.MAX_PIXELS", 40)
    with pytest.raises(DataError, match="too large|no picture that can be read"):
        open_image_folder(folder)


def test_096_changed_source_is_decoded_again(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pets")
    before = open_image_folder(folder).fingerprint
    Image.new("RGB", (8, 6), "red").save(folder / "cat" / "0.png")
    time.sleep(0.01)
    assert open_image_folder(folder).fingerprint != before


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
