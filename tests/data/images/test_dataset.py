"""Data sets: read strictly, decoded once, gathered in an order that two integers decide."""

import gzip
import os
import resource
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from zoo.data import hashes
from zoo.data.hashes import content_hashes
from zoo.data.images.dataset import ImageDataset, ImageSplit
from zoo.data.images.idx import read_idx
from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.mnist import fashion_mnist, fashion_mnist_sample
from zoo.data.images.open import open_dataset
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import Scaling
from zoo.errors import DataError, StorageError, UsageError

SHARED = Path(__file__).parents[4] / "shared" / "data"


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


def test_091_bad_picture_is_named_or_left_out(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pets")
    (folder / "cat" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"cat/0\.png"):
        open_image_folder(folder)
    assert sum(len(split) for split in open_image_folder(folder, skip_bad=1).splits.values()) == 9


def test_091_missing_and_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no pictures in"):
        open_image_folder(tmp_path)
    folder = pictures(tmp_path / "pets")
    (folder / "cat" / "gone.png").symlink_to(tmp_path / "nothing")
    assert sum(len(split) for split in open_image_folder(folder).splits.values()) == 10
    with pytest.raises(DataError, match=r"away\.png") as caught:
        content_hashes(folder, [folder / "away.png"])
    assert caught.value.exit_code == 9


def test_091_the_budget_is_kept_and_checked_again_from_the_cache(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = pictures(tmp_path / "pets")
    (folder / "cat" / "1.png").write_bytes(b"")
    (folder / "dog" / "4.png").write_bytes((folder / "dog" / "4.png").read_bytes()[:70])
    with pytest.raises(DataError, match="pets"):
        open_image_folder(folder, skip_bad=1)
    first = open_image_folder(folder, skip_bad=2)
    caplog.clear()
    again = open_image_folder(folder, skip_bad=5)
    assert sorted(record.getMessage().split()[2] for record in caplog.records) == [
        str(folder / "cat" / "1.png"),
        str(folder / "dog" / "4.png"),
    ]
    assert first.fingerprint == again.fingerprint
    assert sum(len(split) for split in again.splits.values()) == 8
    for split in again.splits.values():
        assert split.labels is not None and len(split.labels) == len(split.images)
    with pytest.raises(DataError, match="pets"):
        open_image_folder(folder)


def test_091_bad_pictures_move_no_other(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    paths = [tmp_path / f"{place}.png" for place in range(70)]
    for path in paths:
        Image.fromarray(random.integers(0, 256, (4, 4), np.uint8)).save(path)
    whole, _ = decode_all(paths, (4, 4), 1)
    for place in (0, 17, 18, 69):
        paths[place].write_bytes(b"none")
    images, bad = decode_all(paths, (4, 4), 1, skip_bad=4)
    assert sorted(bad) == [0, 17, 18, 69]
    assert np.array_equal(images, np.delete(whole, list(bad), 0))


def test_a_disk_without_room_is_no_crash(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pets")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(StorageError, match="caching pictures") as caught:
            open_image_folder(folder, image_size=(64, 64))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.exit_code == 7
    assert not [entry for entry in (tmp_path / "zoo-cache" / "images").iterdir() if entry.is_dir()]
    assert len(open_image_folder(folder, image_size=(64, 64)).splits["train"]) == 8


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


def test_093_png_of_fifty_thousand_squared_pixels(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 10**6, 9))
    folder = pictures(tmp_path / "pets")
    (folder / "cat" / "0.png").write_bytes(bomb + chunk(b"IEND", b""))
    with pytest.raises(DataError, match=r"cat/0\.png is too large"):
        open_image_folder(folder, image_size=(6, 8), channels=3)
    assert sum(len(split) for split in open_image_folder(folder, skip_bad=1).splits.values()) == 9


def test_093_pixel_cap_below_pillow_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pictures(tmp_path / "pets")
    monkeypatch.setattr("zoo.data.images.pictures.MAX_PIXELS", 40)
    with pytest.raises(DataError, match="too large"):
        open_image_folder(folder, image_size=(6, 8), channels=3)


def test_094_gzip_bomb_is_unpacked_no_further_than_its_header_says(tmp_path: Path) -> None:
    # The one kind of archive that data is read from; 300 MB would come out of these 300 kB
    path = tmp_path / "train-images-idx3-ubyte.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"\x00\x00\x08\x01" + struct.pack(">I", 1000))
        for _ in range(300):
            file.write(b"\0" * 1_000_000)
    tracemalloc.start()
    with pytest.raises(DataError, match="more than 1,000 bytes"):
        read_idx(path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_094_archives_are_no_folders(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        archive.writestr("../../outside.png", b"")
    with pytest.raises(DataError, match="unpack it"):
        open_dataset(str(tmp_path / "pets.zip"), data_dir=None, spec=None)


def test_096_changed_source_is_decoded_again(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pets")
    before = open_image_folder(folder).fingerprint
    path = folder / "cat" / "0.png"
    status, content = path.stat(), path.read_bytes()
    changed = content[:-20] + bytes([content[-20] ^ 1]) + content[-19:]
    path.write_bytes(changed)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # same name, size and time of modification
    with pytest.raises(DataError, match=r"cat/0\.png"):
        open_image_folder(folder)
    path.write_bytes(content)
    assert open_image_folder(folder).fingerprint == before
    Image.new("RGB", (8, 6), "red").save(path)
    assert open_image_folder(folder).fingerprint != before


def test_096_known_files_are_not_read_again_and_changed_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures(tmp_path / "pets")
    paths = sorted(folder.glob("*/*"))
    read: list[Path] = []
    hashed = hashes._hash
    monkeypatch.setattr(hashes, "_hash", lambda path: (read.append(path), hashed(path))[1])
    first = content_hashes(folder, paths)
    assert content_hashes(folder, paths) == first and len(read) == 20, "files changed just now are not trusted"
    monkeypatch.setattr(hashes, "_TICK", -1)
    content_hashes(folder, paths)
    read.clear()
    assert content_hashes(folder, paths) == first and not read
    paths[3].write_bytes(paths[4].read_bytes())
    assert content_hashes(folder, paths)[paths[3]] == first[paths[4]] and read == [paths[3]]
    (index,) = (tmp_path / "zoo-cache" / "hashes").glob("*.json")
    index.write_text('{"cat/0.png": [1]}')
    assert content_hashes(folder, paths)[paths[0]] == first[paths[0]], "a broken index is made again"


@pytest.mark.parametrize("broken", ["train.npy", "left-out.json"])
def test_096_a_cache_that_is_not_whole_is_made_again(tmp_path: Path, broken: str) -> None:
    folder = pictures(tmp_path / "pets")
    before = np.array(open_image_folder(folder).splits["train"].images)
    (cached,) = (path for path in (tmp_path / "zoo-cache" / "images").iterdir() if path.is_dir())
    os.truncate(cached / broken, 5)
    assert np.array_equal(open_image_folder(folder).splits["train"].images, before)


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
