"""What the Hub's page shows of two commits: the numbers of `zoo diff`, read in a process beside the server."""

import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from huggingface_hub import HfApi
from safetensors.numpy import save_file
from zoo_diff.page import tables

import zoo

BEFORE = {
    "kept": np.ones(3, "f4"),
    "moved": np.array([3, 4, 0, 0], "f4"),
    "from_zero": np.zeros(2, "f4"),
    "wide": np.ones((2, 1), "f4"),
    "gone": np.ones(1, "f4"),
}
AFTER = {**BEFORE, "moved": np.array([3, 4, 0, 5], "f4"), "from_zero": np.ones(2, "f4"), "wide": np.ones((1, 2), "f4")}
del AFTER["gone"]


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    made = []
    for name, tensors in (("before", BEFORE), ("after", AFTER)):
        (tmp_path / name).mkdir()
        save_file(tensors, tmp_path / name / "model.safetensors")
        made.append(tmp_path / name)
    return made


def test_what_changed_most_comes_first(folders: list[Path]) -> None:
    (table,) = tables(*folders)
    assert table.title == "4 of 5 tensors changed"
    assert [row[:2] for row in table.rows] == [
        ["gone", "removed"],
        ["wide", "reshaped"],
        ["from_zero", "changed"],
        ["moved", "changed"],
    ]
    name, kind, shape, norm, relative, largest, share, bars = table.rows[3]
    assert (shape, norm, relative, largest, share) == ("4 F32", 5.0, 1.0, 5.0, "25.0%")
    assert isinstance(bars, dict) and sum(bars.values()) == bars["1e0"] == 1
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_one_file_of_another_name_is_read(folders: list[Path]) -> None:
    for folder in folders:
        (folder / "model.safetensors").rename(folder / "unet.safetensors")
    assert len(next(tables(*folders)).rows) == 4
    (folders[0] / "other.safetensors").write_bytes(b"")
    with pytest.raises(zoo.NotFoundError):
        next(tables(*folders))


def test_the_hub_shows_the_numbers(folders: list[Path], served_hub: Any) -> None:
    api = HfApi(endpoint=served_hub.url, token=served_hub.token)
    for folder in folders:
        api.create_repo(f"org/{folder.name}")
        api.upload_folder(repo_id=f"org/{folder.name}", folder_path=folder)
    query = urlencode({"before": "org/before", "after": "org/after", "values": 1})
    request = urllib.request.Request(f"{served_hub.url}/compare?{query}", headers={"Accept": "text/html"})
    with urllib.request.urlopen(request) as answer:
        text = answer.read().decode()
    for said in ("4 of 5 tensors changed", "from_zero", "25.0%", "<rect"):
        assert said in text, said
