"""Data sets of a Hub: a real parquet data set on the embedded Hub, read over loopback by the real client."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from zoo.data.images.batches import TensorBatches
from zoo.data.images.mnist import CLOTHES, fashion_mnist_sample
from zoo.data.images.open import open_dataset
from zoo.data.images.streamed import StreamedBatches
from zoo.data.images.undecoded import UndecodedImages
from zoo.errors import DataError, IntegrityError, NotFoundError, UsageError
from zoo.modalities.data_source import open_data
from zoo.registry.recipe_settings import recipe_settings
from zoo.registry.registry import default_registry
from zoo.specs.modality import DataSource, Need

datasets = pytest.importorskip("datasets", reason="needs the data extra: pip install -e '.[data]'")
HALVES = (range(40), range(40, 60))
OTHERS = {"test": 30, "validation": 10}
ADDRESS = "hf://datasets/org/clothes"


def table(split: str, count: int = 60) -> Any:
    part = fashion_mnist_sample(None).splits[split]
    rows = {"image": [], "label": part.labels[:count].tolist()}
    for image in part.images[:count]:
        encoded = io.BytesIO()
        Image.fromarray(image[0]).save(encoded, "PNG")
        rows["image"].append({"bytes": encoded.getvalue(), "path": None})
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=list(CLOTHES))}
    return datasets.Dataset.from_dict(rows, datasets.Features(features))


def push(hub: Any, files: dict[str, Any], card: str = "---\nlicense: mit\n---\n") -> str:
    from huggingface_hub import CommitOperationAdd, HfApi

    api = HfApi(endpoint=hub.url, token=hub.token)
    api.create_repo("org/clothes", repo_type="dataset", exist_ok=True)
    operations = [CommitOperationAdd("README.md", card.encode())]
    for name, content in files.items():
        buffer = io.BytesIO()
        if not isinstance(content, bytes):
            content.to_parquet(buffer)
        operations.append(CommitOperationAdd(name, buffer.getvalue() or content))
    return str(api.create_commit("org/clothes", operations, commit_message="data", repo_type="dataset").oid)


@pytest.fixture
def clothes(served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serve a Hub that has 60 training pictures in two files, 30 to test on, and 10 to validate with."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    datasets.disable_progress_bars()
    files = {f"data/train-0000{part}-of-00002.parquet": table("train").select(rows) for part, rows in enumerate(HALVES)}
    files |= {f"data/{name}-00000-of-00001.parquet": table("test", count) for name, count in OTHERS.items()}
    push(served_hub, files)
    return served_hub


def opened(hub: Any, address: str = ADDRESS, **options: Any) -> Any:
    return open_dataset(address, data_dir=None, spec=None, hub=hub.url, **options)


def test_pictures_labels_classes_and_licence_come_as_they_are(clothes: Any) -> None:
    dataset = opened(clothes)
    expected = fashion_mnist_sample(None)
    assert (dataset.name, dataset.classes, dataset.license) == ("clothes", CLOTHES, "mit")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 60, **OTHERS}
    for name, split in dataset.splits.items():
        assert isinstance(split.images, np.memmap)
        like = expected.splits["train" if name == "train" else "test"]
        assert np.array_equal(split.images, like.images[: len(split)])
        assert np.array_equal(split.labels, like.labels[: len(split)])
    assert dataset.source.startswith(f"{ADDRESS}@") and len(dataset.source) == len(ADDRESS) + 41
    dataset.check("labels")


def test_streamed_and_decoded_are_the_same_to_the_bit(clothes: Any) -> None:
    decoded, undecoded = opened(clothes, image_size=(14, 14)), opened(clothes, image_size=(14, 14), stream=True)
    assert decoded.fingerprint == undecoded.fingerprint
    assert isinstance(undecoded.splits["train"].images, UndecodedImages)
    form: dict[str, Any] = {"batch_size": 16, "seed": 0, "shuffle": True, "drop_last": True}
    form["device"] = torch.device("cpu")
    ours, theirs = decoded.splits["train"], undecoded.splits["train"]
    whole = TensorBatches(ours.images, ours.targets, **form).epoch(1)
    streamed = StreamedBatches(theirs.images, theirs.targets, workers=2, **form).epoch(1)
    for left, right in zip(whole, streamed, strict=True):
        assert all(torch.equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("split", ["test", "none"])
def test_without_download_the_same_pictures_pass_by(
    clothes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: str
) -> None:
    if split == "none":
        push(clothes, {"alone/train/0000.parquet": table("train", 200)})
    address = ADDRESS + ("/alone" if split == "none" else "/data")
    passing = opened(clothes, address, download=False)
    assert not list(tmp_path.rglob("*.parquet")) and not (tmp_path / "zoo-cache" / "datasets").exists()
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "other-cache"))
    downloaded = opened(clothes, address)
    assert list(tmp_path.rglob("*.parquet"))
    assert passing.fingerprint == downloaded.fingerprint
    for name, part in downloaded.splits.items():
        assert np.array_equal(passing.splits[name].images, part.images)
        assert np.array_equal(passing.splits[name].labels, part.labels)


def test_what_the_disk_has_no_room_for_passes_by(clothes: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.data.images.hub.fits_in_cache", lambda num_bytes: False)
    assert len(opened(clothes).splits["train"]) == 60
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_revision_is_kept_and_another_commit_is_other_data(clothes: Any) -> None:
    before = opened(clothes)
    commit = before.source.rpartition("@")[2]
    push(clothes, {"data/train-00000-of-00002.parquet": table("train", 20)})
    after = opened(clothes)
    assert len(after.splits["train"]) == 40 and after.fingerprint != before.fingerprint
    assert opened(clothes, f"{ADDRESS}@{commit}").fingerprint == before.fingerprint


def test_without_a_split_to_test_on_a_fifth_of_each_class_is_one(served_hub: Any, clothes: Any) -> None:
    push(clothes, {"alone/train/0000.parquet": table("train")})
    dataset = opened(clothes, f"{ADDRESS}/alone")
    expected = fashion_mnist_sample(None).splits["train"]
    known = {image.tobytes(): label for image, label in zip(expected.images[:60], expected.labels[:60], strict=True)}
    for split in dataset.splits.values():
        assert [known[image.tobytes()] for image in np.asarray(split.images)] == split.labels.tolist()
    counts = np.bincount(expected.labels[:60], minlength=10)
    assert np.bincount(dataset.splits["test"].labels).tolist() == [
        round(count / 5) or int(count > 1) for count in counts
    ]
    push(clothes, {"plain/train/0000.parquet": table("train").remove_columns("label")})
    plain = opened(clothes, f"{ADDRESS}/plain").splits["test"]
    assert np.array_equal(plain.images, expected.images[4:60:5]), "without classes it is every fifth"
    with pytest.raises(DataError, match="several data sets"):
        opened(clothes)


def test_091_a_bad_picture_of_a_table_is_named_or_left_out(clothes: Any) -> None:
    features = {"image": datasets.Features({"bytes": datasets.Value("binary"), "path": datasets.Value("string")})}
    rows = [
        {"image": {"bytes": row["bytes"], "path": None}}
        for row in table("train").cast_column("image", datasets.Image(decode=False))["image"]
    ]
    rows[7]["image"]["bytes"] = rows[7]["image"]["bytes"][:90]
    push(clothes, {"bad/train-0.parquet": datasets.Dataset.from_list(rows, datasets.Features(features))})
    with pytest.raises(DataError, match=r"org/clothes/bad train row 7 is") as caught:
        opened(clothes, f"{ADDRESS}/bad")
    assert caught.value.exit_code == 9
    assert sum(len(split) for split in opened(clothes, f"{ADDRESS}/bad", skip_bad=1).splits.values()) == 59


@pytest.mark.parametrize("download", [True, False])
def test_091_a_file_that_is_no_table(clothes: Any, download: bool) -> None:
    push(clothes, {"broken/train-0.parquet": b"PAR1" + bytes(100)})
    with pytest.raises(DataError, match="org/clothes at .* has a parquet file that cannot be read") as caught:
        opened(clothes, f"{ADDRESS}/broken", download=download)
    assert "\n" not in str(caught.value)


def test_changed_bytes_in_the_cache_are_noticed(clothes: Any, tmp_path: Path) -> None:
    opened(clothes)
    (blob,) = (path for path in (tmp_path / "cache").rglob("train-00001*.parquet"))
    content = bytearray(blob.read_bytes())
    content[1000] ^= 1
    blob.resolve().write_bytes(content)
    with pytest.raises(IntegrityError, match="delete it") as caught:
        opened(clothes)
    assert caught.value.exit_code == 5


def test_what_is_not_there_or_holds_no_pictures(clothes: Any) -> None:
    for address, error, message in (
        ("hf://datasets/org", UsageError, "names no data set"),
        ("hf://datasets/org/none", NotFoundError, "no repo datasets/org/none"),
        (f"{ADDRESS}@v9", NotFoundError, "no revision 'v9'"),
        (f"{ADDRESS}/other", DataError, "no train-"),
    ):
        with pytest.raises(error, match=message) as caught:
            opened(clothes, address)
        assert "\n" not in str(caught.value)
    push(clothes, {"text/train.parquet": datasets.Dataset.from_dict({"text": ["a", "b"]})})
    with pytest.raises(DataError, match="no column of pictures, but text"):
        opened(clothes, f"{ADDRESS}/text")


def test_the_hub_that_was_asked_for_serves_the_data_of_a_job(clothes: Any) -> None:
    model = default_registry().model("conv_autoencoder").spec
    recipe, settings = recipe_settings(None, model.name, {})
    need = Need(stage="pretrain", recipe=recipe, settings=settings, model=model)
    dataset, _ = open_data(DataSource(name=ADDRESS, hub=clothes.url), need)
    assert len(dataset.splits["train"]) == 60


def labelled(labels: list[Any], names: list[str] | None = None, kind: str = "int64") -> Any:
    """Return a table whose pictures have a brightness of their own, and these labels."""
    rows: dict[str, list[Any]] = {"image": [], "label": labels}
    for place in range(len(labels)):
        encoded = io.BytesIO()
        Image.fromarray(np.full((4, 4), place, np.uint8)).save(encoded, "PNG")
        rows["image"].append({"bytes": encoded.getvalue(), "path": None})
    feature = datasets.Value(kind) if names is None else datasets.ClassLabel(names=names)
    return datasets.Dataset.from_dict(rows, datasets.Features({"image": datasets.Image(), "label": feature}))


def names_of(dataset: Any, split: str) -> list[str]:
    return [dataset.classes[label] for label in dataset.splits[split].labels]


@pytest.mark.parametrize("download", [True, False])
def test_136_names_that_differ_between_splits_are_mapped_or_refused(clothes: Any, download: bool) -> None:
    train, test = labelled([0, 1, 2, 2], ["a", "b", "c"]), labelled([1, 0, 1], ["a", "c"])
    push(clothes, {"n/train-0.parquet": train, "n/train-1.parquet": test, "n/test-0.parquet": test})
    dataset = opened(clothes, f"{ADDRESS}/n", download=download)
    assert dataset.classes == ("a", "b", "c")
    assert (names_of(dataset, "train"), names_of(dataset, "test")) == (list("abcccac"), list("cac"))
    push(clothes, {"n/test-0.parquet": labelled([0, 1], ["a", "z"])})
    with pytest.raises(DataError, match="test row 1 has the label 'z', which no training row has"):
        opened(clothes, f"{ADDRESS}/n", download=download)


@pytest.mark.parametrize("valid", ["valid", "val", "dev", ""])
def test_136_a_test_split_that_hides_its_labels_counts_as_absent(
    clothes: Any, valid: str, caplog: pytest.LogCaptureFixture
) -> None:
    files = {"h/train-0.parquet": labelled([0, 1] * 10, ["a", "b"]), "h/test-0.parquet": labelled([-1] * 3, ["a", "b"])}
    push(clothes, files | ({f"h/{valid}-0.parquet": labelled([1, 0], ["a", "b"])} if valid else {}))
    dataset = opened(clothes, f"{ADDRESS}/h", download=False)
    sizes = {name: len(split) for name, split in dataset.splits.items()}
    assert sizes == ({"train": 20, "test": 2} if valid else {"train": 16, "test": 4})
    assert "hides the labels of its test split" in caplog.text


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [
        ([1, 2, 3, 1], "int64", ("1", "2", "3")),
        ([10, 2, 2, 10], "uint8", ("2", "10")),
        ([1.0, 2.0, 2.0, 1.0], "float64", ("1", "2")),
        (["dog", "cat", "cat", "dog"], "string", ("cat", "dog")),
        ([True, False, True, False], "bool", ("False", "True")),
    ],
)
def test_labels_are_classes_as_they_are(clothes: Any, labels: list[Any], kind: str, classes: tuple[str, ...]) -> None:
    table = labelled(labels, kind=kind)
    push(clothes, {"w/train-0.parquet": table, "w/test-0.parquet": table})
    dataset = opened(clothes, f"{ADDRESS}/w", download=False)
    assert dataset.classes == classes
    assert names_of(dataset, "test") == [f"{label:g}" if kind == "float64" else str(label) for label in labels]
    dataset.check("labels")


@pytest.mark.parametrize(("labels", "kind"), [([0, None, 1], "int64"), ([1.0, float("nan")], "float64")])
def test_136_a_row_without_a_label_is_named(clothes: Any, labels: list[Any], kind: str) -> None:
    push(clothes, {"l/train-0.parquet": labelled(labels, kind=kind), "l/test-0.parquet": labelled([1], kind=kind)})
    with pytest.raises(DataError, match="org/clothes/l train row 1 has no label"):
        opened(clothes, f"{ADDRESS}/l", download=False)


def test_a_class_of_one_row_is_learnt_and_pictures_keep_their_labels(clothes: Any) -> None:
    push(clothes, {"o/train-0.parquet": labelled([0, 1, 0, 1, 2, 0, 1, 0, 1, 0])})
    dataset = opened(clothes, f"{ADDRESS}/o", download=False)
    assert [image.max() for image in dataset.splits["train"].images] == [0, 2, 3, 4, 5, 6, 7, 8]
    assert [image.max() for image in dataset.splits["test"].images] == [1, 9]
    assert dataset.splits["train"].labels.tolist() == [0, 0, 1, 2, 0, 1, 0, 1]


def test_pictures_without_labels_get_advice_about_columns(clothes: Any) -> None:
    push(clothes, {"u/train-0.parquet": labelled([1] * 10).remove_columns("label")})
    with pytest.raises(DataError, match="has no labels; it needs a column called label"):
        opened(clothes, f"{ADDRESS}/u", download=False).check("labels")
