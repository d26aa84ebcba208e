"""Copies of one picture in the tables of a Hub are told as in folders, and looked for once a commit."""

import io
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.data.images.test_copies import photograph
from tests.data.images.test_hub import opened, push
from zoo.data.images import copies

datasets = pytest.importorskip("datasets", reason="needs the data extra: pip install -e '.[data]'")
COUNT = 20
Rows = Sequence[tuple[Image.Image, str]]


def pictures(first: int, count: int) -> Rows:
    return [(photograph(place), f"{place}.png") for place in range(first, first + count)]


def pushed(hub: Any, **splits: Rows) -> Any:
    """Push splits of pictures with the names of their files, of two classes in turn."""
    files = {}
    for split, rows in splits.items():
        encoded = []
        for picture, name in rows:
            file = io.BytesIO()
            picture.save(file, "PNG")
            encoded.append({"bytes": file.getvalue(), "path": name})
        features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "dog"])}
        labels = [place % 2 for place in range(len(rows))]
        files[f"data/{split}-00000-of-00001.parquet"] = datasets.Dataset.from_dict(
            {"image": encoded, "label": labels}, datasets.Features(features)
        )
    push(hub, files)
    return hub


@pytest.fixture
def hub(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    datasets.disable_progress_bars()
    return served_hub


MADE = {
    "to the byte": (photograph(3), "other.png"),
    "by its name": (photograph(99), "3_jpg.rf.0123456789abcdef.jpg"),
    "by its looks": (photograph(3).resize((60, 45)), "small.png"),
}


@pytest.mark.parametrize("how", MADE)
def test_copies_between_the_splits_of_a_hub_are_counted(hub: Any, how: str, caplog: pytest.LogCaptureFixture) -> None:
    train = [*pictures(0, COUNT)]
    train[3] = (train[3][0], "3_jpg.rf.fedcba9876543210.jpg")
    pushed(hub, train=train, test=[*pictures(50, 3), MADE[how]])
    dataset = opened(hub)
    assert "1 of 4 test samples of hf://datasets/org/clothes are copies of training samples" in caplog.text
    assert "first test row 3 and train row 3" in caplog.text
    train_groups, test_groups = (dataset.splits[name].groups for name in ("train", "test"))
    assert train_groups is not None and test_groups is not None and train_groups[3] == test_groups[3]


def test_copies_stay_on_one_side_of_a_split_of_our_own(hub: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Rows 4, 9, 14 and 19 would be the fifth of each class to test on; each has a copy beside it, of its class."""
    rows = [*pictures(0, COUNT)]
    for place in (4, 9, 14, 19):
        rows[place - 2] = rows[place]
    splits = opened(pushed(hub, train=rows)).splits
    found = {name: {image.tobytes() for image in np.asarray(split.images)} for name, split in splits.items()}
    assert not found["train"] & found["test"] and len(splits["test"]) >= 2
    assert "copies of training samples" not in caplog.text


def test_without_copies_a_fifth_is_tested_on_as_before(hub: Any) -> None:
    dataset = opened(pushed(hub, train=pictures(0, COUNT)))
    assert {name: split.groups for name, split in dataset.splits.items()} == {"train": None, "test": None}
    assert np.array_equal(np.asarray(dataset.splits["test"].images)[0], np.asarray(photograph(4)).transpose(2, 0, 1))


def test_pictures_are_looked_at_once_a_commit(hub: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    looked: list[object] = []
    thumbnail = copies._thumbnail
    monkeypatch.setattr(copies, "_thumbnail", lambda source: looked.append(source) or thumbnail(source))
    pushed(hub, train=pictures(0, COUNT), test=pictures(0, 2))
    for times in (1, 2):
        with caplog.at_level(logging.WARNING):
            opened(hub)
        assert caplog.text.count("2 of 2 test samples") == times and len(looked) == COUNT + 2
