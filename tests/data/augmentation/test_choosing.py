"""How pictures are changed is chosen by what a small network learns of them: the same choice each time."""

import numpy as np
import pytest
import torch
from torch import Tensor

from zoo.data.augmentation.choosing import Known, choose_policy, mirrored, small
from zoo.data.augmentation.policies import augment
from zoo.data.draws import Draws
from zoo.data.images.choosing import pictures_to_choose_by
from zoo.data.images.dataset import ImageDataset, ImageSplit
from zoo.specs.modality_offers import ChoosesByData, Chosen
from zoo.tasks.settings import ImageClassificationSettings

COUNT = 96


def arrows(*, sides: bool) -> tuple[Tensor, Tensor]:
    """Return arrow heads anywhere on noise, of two classes: by the side they point to, or by pointing up or down."""
    random = np.random.default_rng(0)
    images = random.uniform(0, 0.3, (COUNT, 1, 16, 16)).astype(np.float32)
    labels = random.integers(0, 2, COUNT)
    for image, label in zip(images[:, 0], labels, strict=True):
        top, left = random.integers(0, 9, 2)
        head = np.zeros((7, 7), np.float32)
        for place in range(4):
            head[3 - place, place] = head[3 + place, place] = 1  # points to the left
        turned = np.rot90(head, 2 * label) if sides else np.rot90(head, 1 + 2 * label)
        image[top : top + 7, left : left + 7] += 0.7 * turned
    return torch.from_numpy(images).clamp(0, 1), torch.from_numpy(labels)


def test_what_mirroring_would_confuse_is_not_mirrored() -> None:
    images, labels = arrows(sides=True)
    chosen, reason = choose_policy(Known(images, labels), 0)
    assert "flip" not in chosen and chosen not in ("colour", "affine")
    assert f"{chosen} " not in reason and "none" in reason or chosen == "none"
    assert (chosen, reason) == choose_policy(Known(images, labels), 0), "a function of data and seed"


def test_two_of_a_kind_of_labels_choose_as_well() -> None:
    images, labels = arrows(sides=True)
    both = torch.stack([labels, 1 - labels], 1)
    chosen, _ = choose_policy(Known(images, both), 0)
    assert "flip" not in chosen and chosen != "colour"


def test_pictures_that_are_told_from_their_mirror_images_are_not_mirrored_without_labels() -> None:
    images, labels = arrows(sides=True)
    one_side = Known(images[labels == 0].repeat(4, 1, 1, 1))
    assert mirrored(one_side, 0)[0] is False
    assert mirrored(Known(arrows(sides=False)[0]), 0)[0] is True
    assert mirrored(Known(images[:1]), 0)[0] is True, "one picture tells nothing"


def test_whole_pictures_are_cut_and_only_mirroring_is_asked_for() -> None:
    images, labels = arrows(sides=True)
    whole = torch.nn.functional.interpolate(images, (24, 24))
    chosen, _ = choose_policy(Known(images, labels, whole, torch.tensor([[64, 64]]).expand(COUNT, 2)), 0)
    assert chosen in ("resized_crop", "resized_crop_flip")


def test_shifts_and_parts_come_without_mirroring() -> None:
    ramp = torch.linspace(0.1, 1, 16).expand(32, 1, 16, 16)  # brighter to the right
    for policy in ("shift", "scale", "resized_crop", "shift_jitter", "scale_jitter"):
        changed = augment(ramp, Draws(0, 0, torch.arange(32)), policy)  # type: ignore[arg-type]
        inside = changed[..., 4:-4]
        assert not torch.equal(changed, ramp) and (inside.diff(dim=3).mean((1, 2, 3)) >= 0).all(), policy
    whole = ramp.repeat(1, 1, 2, 2)[..., :16]
    parts = augment(whole, Draws(0, 0, torch.arange(32)), "resized_crop", size=(8, 8))
    assert (parts.diff(dim=3).mean((1, 2, 3)) > 0).all()


def test_pictures_are_made_small_with_their_aspect() -> None:
    assert small(torch.rand(2, 3, 128, 64)).shape == (2, 3, 32, 16)
    assert small(torch.rand(2, 3, 20, 30)).shape == (2, 3, 20, 30)


def dataset(count: int, labels: object) -> ImageDataset:
    images = np.random.default_rng(1).integers(0, 256, (count, 1, 8, 8), np.uint8)
    split = ImageSplit(images, labels)  # type: ignore[arg-type]
    return ImageDataset(
        name="noise", splits={"train": split, "test": split}, classes=("a", "b"), license="unknown", source="here",
        fingerprint="0",
    )  # fmt: skip


@pytest.mark.parametrize("count", [4, 5000])
def test_so_many_pictures_are_looked_at_and_no_more(count: int) -> None:
    known = pictures_to_choose_by(dataset(count, np.arange(count) % 2), 0, labelled=True)
    assert len(known.images) == min(count, 600) and known.labels is not None
    assert known.labels.bincount().tolist() == [min(count, 600) // 2] * 2
    assert pictures_to_choose_by(dataset(count, None), 0, labelled=True).labels is None


@pytest.mark.parametrize(
    ("kind", "labels", "values"),
    [
        ("augmentation", np.arange(40) % 2, None),
        ("augmentation", None, {"crop_flip", "shift"}),
        ("mirroring", np.arange(40) % 2, {"yes", "no"}),
        ("tempo", None, set()),
    ],
)
def test_images_choose_what_they_know(kind: str, labels: object, values: set[str] | None) -> None:
    from zoo.modalities.image import modality

    assert isinstance(modality, ChoosesByData)
    chosen = modality.choose(kind, dataset(40, labels), ImageClassificationSettings())
    if values is None:
        assert isinstance(chosen, Chosen) and "held-out" in chosen.reason
    else:
        assert chosen is None if not values else chosen is not None and chosen.value in values
