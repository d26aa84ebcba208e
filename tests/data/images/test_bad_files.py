"""Files that are broken, missing, too large or bombs: named, or left out where that is asked for."""

import gzip
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

from tests.data.images.pets import pictures
from zoo.data.hashes import content_hashes
from zoo.data.images.idx import read_idx
from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.open import open_dataset
from zoo.data.images.pictures import decode_all
from zoo.errors import DataError


@given(content=st.binary(max_size=300), prefix=st.sampled_from([b"", b"\x00\x00\x08\x01", b"\x1f\x8b"]))
def test_random_idx_files_are_refused(content: bytes, prefix: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(prefix + content)
    try:
        array = read_idx(path)
    except DataError:
        return
    assert struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes() == (prefix + content)[4:]


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
