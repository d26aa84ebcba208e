"""CIFAR-10 in its binary version: records of one label byte and 3,072 bytes of red, green, blue planes."""

from pathlib import Path

import numpy as np

from zoo.data.images.dataset import ImageDataset, ImageSplit, fingerprint
from zoo.data.places import not_found, search_path
from zoo.errors import DataError

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_FOLDERS = ("cifar10/cifar-10-batches-bin", "cifar-10-batches-bin", "cifar10")
_RECORD = 1 + 3 * 32 * 32


def cifar10(data_dir: Path | None) -> ImageDataset:
    """Open CIFAR-10 with as many training batches as are there (data_batch_1.bin … data_batch_5.bin)."""
    places = search_path(data_dir, _FOLDERS)
    folder = next((place for place in places if (place / "test_batch.bin").is_file()), None)
    if folder is None:
        raise DataError(
            f"{not_found('cifar10', data_dir, _FOLDERS)}; "
            "unpack the binary version (cifar-10-binary.tar.gz) and pass --data-dir FOLDER"
        )
    train = [_read(path) for path in sorted(folder.glob("data_batch_*.bin"))]
    if not train:
        raise DataError(f"no data_batch_*.bin in {folder}; unpack the complete binary version")
    images, labels = (np.concatenate(parts) for parts in zip(*train, strict=True))
    splits = {"train": ImageSplit(images, labels), "test": ImageSplit(*_read(folder / "test_batch.bin"))}
    return ImageDataset(
        name="cifar10",
        splits=splits,
        classes=CLASSES,
        license="unknown",
        source=str(folder),
        fingerprint=fingerprint(splits, CLASSES),
    )


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        content = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}; get it again") from None
    if content.size == 0 or content.size % _RECORD:
        raise DataError(
            f"{path} has {content.size:,} bytes, not a multiple of {_RECORD}; it is truncated, get it again"
        )
    records = content.reshape(-1, _RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].astype(np.int64)
