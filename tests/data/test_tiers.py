"""Batches: an order that two numbers decide, and the same bits from whichever tier they come."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from zoo.data.images.batches import TensorBatches
from zoo.data.images.dataset import ImageSplit
from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.streamed import StreamedBatches
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.memory import fits_in_memory
from zoo.data.order import SampleOrder
from zoo.errors import DataError, UsageError

CPU = torch.device("cpu")
FORM: dict[str, Any] = {"batch_size": 4, "seed": 3, "shuffle": True, "drop_last": False, "device": CPU}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder of 26 JPEGs of two classes, larger than they are asked for."""
    random = np.random.default_rng(0)
    for place in range(26):
        path = tmp_path / "photos" / ("cat", "dog")[place % 2] / f"{place}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
        coarse.resize((80, 60), Image.Resampling.BICUBIC).save(path)
    return tmp_path / "photos"


@settings(max_examples=50, deadline=None)
@given(
    count=st.integers(1, 50),
    size=st.integers(1, 12),
    epoch=st.integers(0, 3),
    processes=st.integers(1, 4),
    micro_batches=st.integers(1, 3),
    drop_last=st.booleans(),
    data=st.data(),
)
def test_every_sample_comes_once_and_resuming_goes_on(
    count: int, size: int, epoch: int, processes: int, micro_batches: int, drop_last: bool, data: st.DataObject
) -> None:
    form = {"batch_size": size, "seed": 3, "shuffle": True, "drop_last": drop_last, "world_size": processes}
    form["micro_batches"] = micro_batches
    parts = processes * micro_batches
    if min(count, size) < parts:
        with pytest.raises(UsageError, match="micro-batches"):
            SampleOrder(count, **form)  # type: ignore[arg-type]
        return
    start = data.draw(st.integers(0, count))
    orders = [SampleOrder(count, rank=rank, **form) for rank in range(processes)]  # type: ignore[arg-type]
    places = orders[0].indices(epoch)
    shares = [[places[share].tolist() for share in order.shares(0)] for order in orders]
    rest = [[places[share].tolist() for share in order.shares(start)] for order in orders]
    assert rest == [share[start:] for share in shares]
    batches = [sum(share, []) for share in zip(*shares, strict=True)]
    assert len(batches) == len(orders[0])
    seen = sum(batches, [])
    assert len(seen) == len(set(seen)) == orders[0].num_samples
    assert seen == places.tolist()[: len(seen)]
    assert (len(seen) == count) or drop_last
    if drop_last:
        assert {len(share) for shared in shares for share in shared} == {min(size, count) // parts * micro_batches}


@pytest.mark.parametrize("kind", ["array", "files by processes", "files by a thread"])
def test_every_tier_gives_the_same_bits(photos: Path, kind: str) -> None:
    decoded = open_image_folder(photos, image_size=(20, 24))
    undecoded = open_image_folder(photos, image_size=(20, 24), stream=True)
    assert isinstance(undecoded.splits["train"].images, UndecodedImages)
    assert decoded.fingerprint == undecoded.fingerprint
    split = (decoded if kind == "array" else undecoded).splits["train"]
    whole = TensorBatches(decoded.splits["train"].images, decoded.splits["train"].targets, **FORM)
    streamed = StreamedBatches(split.images, split.targets, workers=2 * (kind == "files by processes"), **FORM)
    assert (len(streamed), streamed.num_samples) == (len(whole), whole.num_samples) == (5, 20)
    for epoch, start in ((0, 0), (1, 0), (1, 3), (1, 5)):
        pairs = list(zip(whole.epoch(epoch, start), streamed.epoch(epoch, start), strict=True))
        assert len(pairs) == 5 - start
        for ours, theirs in pairs:
            assert ours.keys() == theirs.keys() == {"images", "labels", "index"}
            assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("workers", [0, 2])
def test_streaming_leaves_the_global_generator_alone(photos: Path, workers: int) -> None:
    split = open_image_folder(photos, stream=True).splits["train"]
    before = torch.get_rng_state()
    batches = StreamedBatches(split.images, split.targets, workers=workers, **FORM)
    next(iter(batches.epoch(0)))
    list(batches.epoch(0, 2))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_done_to_a_batch_does_not_reach_the_set() -> None:
    images = np.full((4, 1, 2, 2), 255, np.uint8)
    for batches in (TensorBatches(images, {}, **FORM), StreamedBatches(images, {}, **FORM)):
        next(iter(batches.epoch(0)))["images"].zero_()
        assert float(next(iter(batches.epoch(0)))["images"].min()) == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_091_a_picture_that_breaks_while_streaming_is_named(photos: Path, workers: int) -> None:
    split = open_image_folder(photos, stream=True).splits["train"]
    bad = photos / "cat" / "4.jpg"
    bad.write_bytes(bad.read_bytes()[:200])
    batches = StreamedBatches(split.images, split.targets, workers=workers, **FORM)
    with pytest.raises(DataError, match=r"cat/4\.jpg") as caught:
        list(batches.epoch(0))
    assert "\n" not in str(caught.value)


def test_091_the_budget_holds_for_streaming_too(photos: Path) -> None:
    for name in ("cat/4.jpg", "dog/3.jpg"):
        (photos / name).write_bytes((photos / name).read_bytes()[:500])
    with pytest.raises(DataError, match="cat/4|dog/3"):
        open_image_folder(photos, stream=True, skip_bad=1)
    streamed = open_image_folder(photos, stream=True, skip_bad=2)
    kept = open_image_folder(photos, skip_bad=3)
    for name, split in streamed.splits.items():
        images = split.images[np.arange(len(split))]
        assert np.array_equal(images, kept.splits[name].images[np.arange(len(split))])
        assert np.array_equal(split.labels, kept.splits[name].labels)
    assert sum(map(len, streamed.splits.values())) == 24


def test_subsets_of_what_is_not_decoded_stay_undecoded(photos: Path) -> None:
    dataset = open_image_folder(photos, image_size=(8, 8), stream=True).hold_out(0.25, 0)
    expected = open_image_folder(photos, image_size=(8, 8)).hold_out(0.25, 0).splits["validation"]
    split = dataset.splits["validation"]
    assert isinstance(split.images, UndecodedImages) and len(split) == 5
    assert np.array_equal(split.images[np.arange(5)], expected.images)


def test_the_tier_follows_from_the_size(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert fits_in_memory(10, limit=10) and not fits_in_memory(11, limit=10)
    assert fits_in_memory(1 << 20) and not fits_in_memory(1 << 60)
    split = ImageSplit(np.zeros((4, 1, 5, 5), np.uint8))
    assert isinstance(split.batches(limit=100, **FORM), TensorBatches)
    assert isinstance(split.batches(limit=99, **FORM), StreamedBatches)
    assert isinstance(split.batches(stream=True, **FORM), StreamedBatches)
    monkeypatch.setattr("zoo.data.memory._free", lambda: 1000)
    undecoded = open_image_folder(photos, image_size=(8, 8)).splits["train"]
    assert isinstance(undecoded.images, UndecodedImages)
    assert isinstance(undecoded.batches(**FORM), StreamedBatches)
    assert isinstance(undecoded.batches(stream=False, **FORM), TensorBatches)
