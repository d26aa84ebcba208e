"""A Hub's data are scored by the names of their classes, on a split whose labels are told."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.training.greys import GREY, counted, grey_weights
from zoo.data.splitting import to_be_scored


@pytest.fixture
def weights(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    return grey_weights(site, tmp_path, monkeypatch)


SHADES = "hf://datasets/org/shades"


@pytest.fixture
def shades(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return a function that pushes greys of classes by split, and returns what `zoo evaluate` takes of them.

    A split is (names of its classes, labels); a label of -1 is a hidden one.
    """
    datasets = pytest.importorskip("datasets", reason="needs the data extra: pip install -e '.[data]'")
    from huggingface_hub import CommitOperationAdd, HfApi, constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    datasets.disable_progress_bars()

    def drawn(name: str, place: int) -> dict[str, Any]:
        file = io.BytesIO()
        Image.new("L", (8, 8), max(GREY[name] - place, 0)).save(file, "PNG")
        return {"bytes": file.getvalue(), "path": None}

    def push(**splits: tuple[list[str], list[int]]) -> list[str]:
        api = HfApi(endpoint=served_hub.url, token=served_hub.token)
        api.create_repo("org/shades", repo_type="dataset")
        files = []
        for split, (names, labels) in splits.items():
            features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=names)}
            rows = {"image": [drawn(names[label], place) for place, label in enumerate(labels)], "label": labels}
            file = io.BytesIO()
            datasets.Dataset.from_dict(rows, datasets.Features(features)).to_parquet(file)
            files.append(CommitOperationAdd(f"data/{split}-00000-of-00001.parquet", file.getvalue()))
        api.create_commit("org/shades", files, commit_message="data", repo_type="dataset")
        return ["--hub", served_hub.url]

    return push


ALL = ["cat", "dog", "eel"]


def test_136_a_hub_s_split_is_scored_by_the_names_of_its_own_classes(
    weights: str, shades: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """`eel` is 2 in the training split and 1 in the test split."""
    hub = shades(train=(ALL, [0, 1, 2] * 3), test=(["cat", "eel"], [0, 1, 1, 0, 1]))
    found = counted(weights, SHADES, capsys, *hub)
    assert (found["samples"], found["accuracy"]) == (5, 100)
    assert {name: values["count"] for name, values in found["classes"].items()} == {"cat": 2, "eel": 3}


def test_136_a_hub_s_hidden_labels_are_not_scored(
    weights: str, shades: Callable[..., list[str]], capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    hub = shades(train=(ALL, [0, 1, 2] * 3), validation=(ALL, [0, 1, 2, 2]), test=(ALL, [-1] * 6))
    found = counted(weights, SHADES, capsys, *hub)
    assert (found["samples"], found["accuracy"]) == (4, 100)  # of the split to validate with
    assert "hides the labels of its test split" in caplog.text


def test_136_a_hub_s_classes_in_another_order_are_the_weights_own(
    weights: str, shades: Callable[..., list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    hub = shades(test=(["eel", "cat", "dog"], [0, 0, 1, 2]))
    found = counted(weights, SHADES, capsys, *hub)
    assert (found["samples"], found["accuracy"]) == (4, 100)


def test_136_texts_of_a_hub_whose_test_split_hides_its_labels(
    served_hub: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are scored on what is there to validate with; nothing else is downloaded."""
    datasets = pytest.importorskip("datasets", reason="needs the data extra: pip install -e '.[data]'")
    from huggingface_hub import constants

    from tests.data.text.test_hub import opened, push, table

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    datasets.disable_progress_bars()
    splits = {"train": table(0, 20), "validation": table(20, 26), "test": table(30, 40).map(lambda row: {"label": -1})}
    push(served_hub, {f"data/{split}-00000-of-00001.parquet": rows for split, rows in splits.items()})
    with to_be_scored():
        dataset = opened(served_hub)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"test": 6}
    assert dataset.splits["test"].texts[0] == "question 20" and dataset.classes == ("no", "yes")
    assert "hides the labels of its test split" in caplog.text
    kept = Path(constants.HF_HUB_CACHE)
    assert sorted(path.name.partition("-")[0] for path in kept.rglob("*.parquet")) == ["test", "validation"]
