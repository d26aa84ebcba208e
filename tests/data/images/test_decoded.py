"""Pictures are decoded once, and again where a file or the cache has changed."""

import os
import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.images.pets import pictures
from zoo.data import hashes
from zoo.data.hashes import content_hashes
from zoo.data.images.image_folder import open_image_folder
from zoo.errors import DataError, StorageError


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
