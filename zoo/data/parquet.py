"""Picture data sets of the Hub: parquet files with the columns image and label."""

import io
from typing import Any

import numpy as np

from zoo.data.dataset import ImageSplit
from zoo.errors import DataError


def read_hub_images(repo: str) -> dict[str, ImageSplit] | None:
    """Return train and test of a data set repo, or None where the Hub cannot be reached."""
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        commit = HfApi().dataset_info(repo, timeout=10).sha
        names = HfApi().list_repo_files(repo, repo_type="dataset", revision=commit)
        files = {
            split: hf_hub_download(repo, name, repo_type="dataset", revision=commit)
            for split in ("train", "test")
            for name in names
            if name.endswith(".parquet") and f"/{split}-" in name
        }
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError):
        return None
    except Exception as error:
        # The client's HTTP library changed its name between releases; its errors share no root to import.
        if type(error).__module__.partition(".")[0] in ("httpx", "httpx2", "requests"):
            return None
        raise
    return {split: _read(path) for split, path in files.items()} or None


def _read(path: str) -> ImageSplit:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise DataError(f"{path} is parquet, which needs the data extra: pip install 'zoo-hub[data]'") from None
    from PIL import Image

    table: Any = parquet.read_table(path, columns=["image", "label"])
    images = [np.asarray(Image.open(io.BytesIO(item["bytes"]))) for item in table["image"].to_pylist()]
    stacked = np.stack(images)
    stacked = stacked[:, None] if stacked.ndim == 3 else stacked.transpose(0, 3, 1, 2)
    return ImageSplit(np.ascontiguousarray(stacked), np.asarray(table["label"].to_pylist(), np.int64))
