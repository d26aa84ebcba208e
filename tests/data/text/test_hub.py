"""Texts of a Hub: real parquet files on the embedded Hub, read over loopback by the real client."""

import io
from typing import Any

import pytest

from zoo.data.text.columns import Columns
from zoo.data.text.open import open_texts
from zoo.errors import DataError

datasets = pytest.importorskip("datasets", reason="needs the data extra: pip install -e '.[data]'")
ADDRESS = "hf://datasets/org/questions"


def push(hub: Any, files: dict[str, Any]) -> None:
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo("org/questions", repo_type="dataset", exist_ok=True)
    operations = [CommitOperationAdd("README.md", b"---\nlicense: mit\n---\n")]
    for name, table in files.items():
        buffer = io.BytesIO()
        table.to_parquet(buffer)
        operations.append(CommitOperationAdd(name, buffer.getvalue()))
    api.create_commit("org/questions", operations, commit_message="data", repo_type="dataset")


@pytest.fixture
def hub(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    datasets.disable_progress_bars()
    return served_hub


def table(start: int, stop: int) -> Any:
    rows = {"text": [f"question {n}" for n in range(start, stop)], "label": [n % 2 for n in range(start, stop)]}
    features = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["yes", "no"])}
    return datasets.Dataset.from_dict(rows, datasets.Features(features))


def opened(hub: Any, columns: Columns | None = None) -> Any:
    return open_texts(ADDRESS, data_dir=None, spec=None, columns=columns or Columns(), hub=hub.url)


def test_texts_and_the_names_of_labels_come_from_all_files(hub: Any) -> None:
    parts = {f"data/train-0000{part}-of-00002.parquet": table(20 * part, 20 * part + 20) for part in range(2)}
    push(hub, {**parts, "data/test-00000-of-00001.parquet": table(40, 50)})
    dataset = opened(hub)
    assert (dataset.name, dataset.license, dataset.classes) == ("questions", "mit", ("no", "yes"))
    assert [len(split) for split in dataset.splits.values()] == [40, 10]
    assert dataset.splits["train"].texts[21] == "question 21" and dataset.splits["train"].labels[:2].tolist() == [1, 0]
    assert dataset.fingerprint == opened(hub).fingerprint


def test_without_a_test_split_a_fifth_is_held_out(hub: Any) -> None:
    push(hub, {"data/train-00000-of-00001.parquet": table(0, 50)})
    assert {name: len(split) for name, split in opened(hub).splits.items()} == {"train": 40, "test": 10}


def test_translations_are_a_column_for_each_language(hub: Any) -> None:
    rows = {"translation": [{"de": f"Satz {n}", "en": f"sentence {n}"} for n in range(10)]}
    push(hub, {f"data/{split}-00000-of-00001.parquet": datasets.Dataset.from_dict(rows) for split in ("train", "test")})
    split = opened(hub, Columns(text="de", target="en")).splits["test"]
    assert (split.texts[3], split.target_text[3]) == ("Satz 3", "sentence 3")


@pytest.mark.parametrize("missing", [-1, None])
def test_136_a_row_without_a_label_is_named(hub: Any, missing: int | None) -> None:
    train = table(0, 10).map(lambda row, place: {"label": missing if place == 6 else row["label"]}, with_indices=True)
    push(hub, {"data/train-00000-of-00001.parquet": train, "data/test-00000-of-00001.parquet": table(0, 4)})
    with pytest.raises(
        DataError, match=r"column 'label' in row 7 of train-00000-of-00001.parquet of .* holds no label"
    ):
        opened(hub)


@pytest.mark.parametrize("missing", [-1, None])
@pytest.mark.parametrize("valid", ["validation", "valid", "val", "dev", ""])
def test_136_a_test_split_that_hides_its_labels_counts_as_absent(
    hub: Any, missing: int | None, valid: str, caplog: pytest.LogCaptureFixture
) -> None:
    hidden = table(100, 130).map(lambda row: {"label": missing})
    files = {"data/train-00000-of-00001.parquet": table(0, 50), "data/test-00000-of-00001.parquet": hidden}
    push(hub, files | ({f"data/{valid}-00000-of-00001.parquet": table(50, 60)} if valid else {}))
    dataset = opened(hub)
    assert {name: len(split) for name, split in dataset.splits.items()} == (
        {"train": 50, "test": 10} if valid else {"train": 40, "test": 10}
    )
    assert "hides the labels of its test split" in caplog.text


def test_136_names_that_differ_between_splits_are_those_of_each(hub: Any) -> None:
    def of(names: list[str], labels: list[int]) -> Any:
        features = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
        rows = {"text": [f"{names[label]} {n}" for n, label in enumerate(labels)], "label": labels}
        return datasets.Dataset.from_dict(rows, datasets.Features(features))

    train, test = of(["a", "b", "c"], [0, 1, 2] * 4), of(["a", "c"], [0, 1, 1, 0])
    push(hub, {"data/train-00000-of-00001.parquet": train, "data/test-00000-of-00001.parquet": test})
    dataset = opened(hub)
    for split in dataset.splits.values():
        assert [dataset.classes[label] for label in split.labels] == [text[0] for text in split.texts]


def test_a_column_that_is_not_there_is_named(hub: Any) -> None:
    push(hub, {f"data/{split}-00000-of-00001.parquet": table(0, 10) for split in ("train", "test")})
    with pytest.raises(DataError, match="no column 'body' for --text; it has text, label"):
        opened(hub, Columns(text="body"))
