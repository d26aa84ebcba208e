"""Parts of pictures: drawn as torchvision draws them, and scaled as torch scales."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from zoo.data.augmentation.crops import crop_boxes, random_resized_crop, resized_boxes
from zoo.data.augmentation.policies import augment
from zoo.data.draws import Draws

AREA, ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)


def draws(count: int) -> Draws:
    return Draws(0, 0, torch.arange(count))


def sizes(count: int, height: int, width: int) -> Tensor:
    return torch.tensor([[height, width]]).expand(count, -1)


@pytest.mark.parametrize("size", [(224, 224), (96, 160), (7, 5)])
def test_a_part_is_what_torch_makes_of_it(size: tuple[int, int]) -> None:
    images = torch.rand(12, 3, 120, 90, generator=torch.Generator().manual_seed(0))
    boxes = crop_boxes(sizes(12, 120, 90), draws(12), area=AREA, aspect=ASPECT)
    found = resized_boxes(images, boxes, size)
    for image, (top, left, height, width), mine in zip(images, boxes.tolist(), found, strict=True):
        part = image[None, :, top : top + height, left : left + width]
        expected = F.interpolate(part, size, mode="bilinear", antialias=True)[0]
        assert (mine - expected).abs().max() < 1e-6
    alone = torch.cat([resized_boxes(images[n : n + 1], boxes[n : n + 1], size) for n in range(12)])
    assert torch.equal(alone, found), "whatever else is in the batch"


def test_areas_and_aspects_are_spread_as_they_should_be() -> None:
    boxes = crop_boxes(sizes(20_000, 480, 480), draws(20_000), area=AREA, aspect=ASPECT).double()
    top, left, height, width = boxes.unbind(1)
    assert ((top >= 0) & (left >= 0) & (top + height <= 480) & (left + width <= 480)).all()
    share, ratio = height * width / 480**2, (width / height).log()
    assert abs(float(ratio.mean())) < 0.005 and float(ratio.abs().max()) < math.log(4 / 3) + 0.02
    assert 0.07 < float(share.min()) < 0.09 and 0.99 < float(share.max()) <= 1
    small = share[share < 0.5]  # larger ones are refused where they would not fit
    assert abs(float(small.mean()) - 0.29) < 0.005
    assert abs(float((top / (480 - height).clamp(min=1)).mean()) - 0.5) < 0.01


def test_what_never_fits_is_the_middle_of_the_nearest_aspect() -> None:
    (found,) = crop_boxes(sizes(1, 40, 400), draws(1), area=(1.0, 1.0), aspect=ASPECT).tolist()
    assert found == [0, 173, 40, 53]
    (found,) = crop_boxes(sizes(1, 400, 40), draws(1), area=(1.0, 1.0), aspect=ASPECT).tolist()
    assert found == [173, 0, 53, 40]


def test_parts_of_stretched_pictures_have_the_aspect_of_their_files() -> None:
    """Of a checkerboard, whose squares stay squares."""
    board = ((torch.arange(200)[:, None] // 20 + torch.arange(400) // 20) % 2).float().expand(1, 1, -1, -1)
    stretched = F.interpolate(board, (200, 200), mode="area")
    own = torch.tensor([[200, 400]])
    part = random_resized_crop(
        stretched, draws(1), area=(0.25, 0.25), aspect=(1, 1), size=(100, 100), sizes=own
    ).round()
    rows, columns = (part[0, 0].diff(dim=axis).abs().sum() for axis in (0, 1))
    assert abs(float(rows / columns) - 1) < 0.15, "as many edges across as down"


def test_whole_pictures_become_parts_and_others_are_shifted() -> None:
    whole, plain = torch.rand(4, 3, 90, 120), torch.rand(4, 3, 64, 64)
    for policy in ("auto", "resized_crop_flip"):
        assert augment(whole, draws(4), policy, size=(64, 64), sizes=sizes(4, 480, 640)).shape == (4, 3, 64, 64)
    assert torch.equal(
        augment(plain, draws(4), "auto", size=(64, 64)), augment(plain, draws(4), "crop_flip", size=(64, 64))
    )
