"""Sounds of a data set on a Hub: the bytes of its column are decoded as files are."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from zoo_speech.hub import open_hub_clips

import zoo

datasets = pytest.importorskip("datasets")
pyarrow = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")


def encoded(length: int) -> bytes:
    """Return a FLAC file."""
    file = io.BytesIO()
    soundfile.write(file, np.sin(np.arange(length) / 5) / 2, 8000, format="FLAC")
    return file.getvalue()


def pushed(hub: Any, folder: Path, features: Any) -> str:
    """Push a data set of two splits, and return its address."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo("tester/sounds", repo_type="dataset")
    for split, count in (("train", 4), ("test", 2)):
        rows: dict[str, list[Any]] = {
            "audio": [{"bytes": encoded(900 + place), "path": f"{place}.flac"} for place in range(count)],
            "label": [place % 2 for place in range(count)],
            "speaker_id": [7 + place % 2 for place in range(count)],
        }
        # by pyarrow: datasets itself encodes sounds by torchcodec alone
        table = pyarrow.Table.from_pydict(rows, schema=features.arrow_schema)
        pyarrow.parquet.write_table(table, folder / f"{split}.parquet")
        name = f"data/{split}-00000-of-00001.parquet"
        api.upload_file(
            path_or_fileobj=folder / f"{split}.parquet", path_in_repo=name, repo_id="tester/sounds", repo_type="dataset"
        )
    return "hf://datasets/tester/sounds"


def test_an_audio_column_is_read_without_its_decoder(
    served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    label = datasets.ClassLabel(names=["no", "yes"])
    features = datasets.Features({"audio": datasets.Audio(), "label": label, "speaker_id": datasets.Value("int64")})
    address = pushed(served_hub, tmp_path, features)
    clips = open_hub_clips(zoo.DataSource(name=address, hub=served_hub.url))
    assert {name: [clip.label for clip in part] for name, part in clips.splits.items()} == {
        "train": ["no", "yes", "no", "yes"],
        "test": ["no", "yes"],
    }
    assert [clip.speaker for clip in clips.splits["test"]] == ["7", "8"] and clips.usual_rate() == 8000
    assert clips.source.startswith(f"{address}@")
    run = zoo.pretrain(
        "tc_resnet_8", data=address, hub=served_hub.url, out=tmp_path / "run", settings={"steps": 1, "batch_size": 4}
    )
    assert zoo.describe(run.folder).inputs is not None
