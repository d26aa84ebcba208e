"""Tables of a data set on a Hub are read whole: its splits are one table, which is split as every other one."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from zoo_recsys.modality import read_source
from zoo_recsys.options import InteractionOptions

import zoo

pytest.importorskip("datasets")


def pushed(hub: Any, folder: Path) -> str:
    """Push 40 users in one split and 20 in another, and return the address."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo("tester/films", repo_type="dataset")
    random = np.random.default_rng(0)
    for split, users in (("train", range(40)), ("test", range(40, 60))):
        rows = [
            (f"u{user}", int(item), 10 * user + place)
            for user in users
            for place, item in enumerate(random.permutation(12)[:8])
        ]
        columns = dict(zip(("user_id", "item_id", "timestamp"), map(list, zip(*rows, strict=True)), strict=True))
        parquet.write_table(pa.table(columns), folder / f"{split}.parquet")
        name = f"data/{split}-00000-of-00001.parquet"
        api.upload_file(
            path_or_fileobj=folder / f"{split}.parquet", path_in_repo=name, repo_id="tester/films", repo_type="dataset"
        )
    return "hf://datasets/tester/films"


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_all_splits_are_one_table(served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    address = pushed(served_hub, tmp_path)
    source = zoo.DataSource(name=address, hub=served_hub.url, options=InteractionOptions())
    read = read_source(source)
    assert (len(read.rows.user_names), len(read.rows.item_names), len(read.rows.users)) == (60, 12, 480)
    assert read.source.startswith(f"{address}@")
    run = zoo.pretrain("popularity", data=address, hub=served_hub.url, out=tmp_path / "run")
    assert 0 <= run.scores["ndcg"] <= 1
    named = InteractionOptions(user="nobody")
    with pytest.raises(zoo.DataError, match="tester/films train has no column 'nobody', but user_id, item_id"):
        read_source(zoo.DataSource(name=address, hub=served_hub.url, options=named))
