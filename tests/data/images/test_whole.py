"""Photographs are kept whole to be trained on, and measured on as a model takes them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import zoo
from zoo.data.images.dataset import ImageDataset
from zoo.data.images.decoded import whole_size
from zoo.data.images.image_folder import open_image_folder
from zoo.data.images.scaling import Scaling
from zoo.tasks import image_classification

CENTER = Scaling(crop=0.875, crop_mode="center", interpolation="bicubic")


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Return a folder of two classes of pictures of 96x72 pixels, and one of its own size."""
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "photographs" / name).mkdir(parents=True)
        for place in range(10):
            size = (80, 110) if (name, place) == ("dog", 9) else (72, 96)
            Image.fromarray(random.integers(0, 256, (*size, 3), np.uint8)).save(
                tmp_path / "photographs" / name / f"{place}.png"
            )
    return tmp_path / "photographs"


def first_batch(dataset: ImageDataset, split: str) -> dict[str, torch.Tensor]:
    training = split == "train"
    batches = dataset.splits[split].batches(
        batch_size=64, seed=0, shuffle=training, drop_last=False, device=torch.device("cpu"), workers=0
    )
    return next(batches.epoch(0))


@pytest.mark.parametrize(
    ("common", "image_size", "whole"),
    [
        ((480, 640), (224, 224), (336, 336)),
        ((256, 256), (224, 224), (256, 256)),
        ((240, 320), (224, 224), (240, 320)),
        ((224, 224), (224, 224), None),
        ((32, 32), (32, 32), None),
        ((32, 32), (28, 28), None),
        ((28, 28), (224, 224), None),
        ((200, 640), (224, 224), None),
    ],
)
def test_photographs_are_those_larger_than_the_inputs(
    common: tuple[int, int], image_size: tuple[int, int], whole: tuple[int, int] | None
) -> None:
    assert whole_size(common, image_size) == whole


@pytest.mark.parametrize("stream", [False, True])
def test_training_gets_them_whole_and_scores_those_of_before(photographs: Path, stream: bool) -> None:
    form = {"image_size": (48, 48), "channels": 3, "scaling": CENTER, "stream": stream}
    plain, whole = (open_image_folder(photographs, crops=crops, **form) for crops in (False, True))
    assert plain.fingerprint == whole.fingerprint and whole.image_size == (48, 48)
    assert first_batch(whole, "train")["images"].shape == (16, 3, 72, 72)
    assert {tuple(size) for size in first_batch(whole, "train")["sizes"].tolist()} <= {(72, 96), (80, 110)}
    assert torch.equal(first_batch(whole, "test")["images"], first_batch(plain, "test")["images"])
    assert "sizes" not in first_batch(whole, "test")


def test_what_is_held_out_of_them_is_measured_as_predictions_are_made(photographs: Path) -> None:
    form = {"image_size": (48, 48), "channels": 3, "scaling": CENTER}
    plain, whole = (open_image_folder(photographs, crops=crops, **form).hold_out(0.25, 0) for crops in (False, True))
    assert plain.fingerprint == whole.fingerprint
    assert torch.equal(first_batch(whole, "validation")["images"], first_batch(plain, "validation")["images"])
    assert torch.equal(first_batch(whole, "train")["labels"], first_batch(plain, "train")["labels"])


def test_090_bad_ones_are_left_out_of_both_forms(photographs: Path) -> None:
    for name in ("cat", "dog"):
        (photographs / name / "bad.png").write_bytes(b"no picture")
    whole = open_image_folder(photographs, image_size=(48, 48), channels=3, crops=True, skip_bad=2)
    train = whole.splits["train"]
    assert len(train) == len(train.training["images"]) == len(train.training["sizes"]) == len(train.labels)
    assert sum(len(split) for split in whole.splits.values()) == 20
    assert len(np.asarray(train.images[np.arange(len(train))])) == len(train)


def test_finetuning_learns_from_parts_by_default_and_stays_with_whole_ones_otherwise(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    zoo.pretrain(
        "resnet18",
        recipe="supervised",
        data=str(photographs),
        out=base,
        arguments={"widths": [8, 8, 8, 8], "depths": [1, 1, 1, 1], "image_size": 32},
        settings={"steps": 1, "batch_size": 8},
    )
    seen: list[tuple[int, ...]] = []
    real = image_classification.augment
    monkeypatch.setattr(
        "zoo.tasks.image_classification.augment",
        lambda images, *rest, **more: (seen.append(tuple(images.shape[1:])), real(images, *rest, **more))[1],
    )
    for name, settings in (("auto", {}), ("shifted", {"augmentation": "crop_flip"})):
        run = zoo.finetune(
            base,
            task="image-classification",
            data=str(photographs),
            out=tmp_path / name,
            settings={"steps": 1, "batch_size": 8, **settings},
        )
        assert run.scores["accuracy"] == pytest.approx(zoo.evaluate(tmp_path / name, data=str(photographs))["accuracy"])
    assert seen == [(3, 48, 48), (3, 32, 32)]
