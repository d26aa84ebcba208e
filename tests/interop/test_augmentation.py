"""Parts of pictures against torchvision's RandomResizedCrop: `make test-interop`."""

import pytest
import torch

from zoo.data.augmentation.crops import crop_boxes, resized_boxes
from zoo.data.draws import Draws

torchvision = pytest.importorskip("torchvision", reason="needs torchvision: make test-interop")

AREA, ASPECT = (0.08, 1.0), (3 / 4, 4 / 3)
COUNT = 20_000


@pytest.mark.parametrize("size", [(224, 224), (64, 96)])
def test_fixed_boxes_are_resized_to_the_same_pixels(size: tuple[int, int]) -> None:
    images = torch.rand(40, 3, 336, 250, generator=torch.Generator().manual_seed(0))
    boxes = crop_boxes(
        torch.tensor([[336, 250]]).expand(40, -1), Draws(0, 0, torch.arange(40)), area=AREA, aspect=ASPECT
    )
    found = resized_boxes(images, boxes, size)
    for image, box, mine in zip(images, boxes.tolist(), found, strict=True):
        theirs = torchvision.transforms.functional.resized_crop(image, *box, list(size), antialias=True)
        assert (mine - theirs).abs().max() < 1e-6


@pytest.mark.parametrize(("height", "width"), [(480, 640), (375, 500), (100, 400), (60, 61)])
def test_boxes_are_distributed_alike(height: int, width: int) -> None:
    sizes = torch.tensor([[height, width]]).expand(COUNT, -1)
    ours = crop_boxes(sizes, Draws(1, 0, torch.arange(COUNT)), area=AREA, aspect=ASPECT).double()
    picture = torch.empty(3, height, width)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = [torchvision.transforms.RandomResizedCrop.get_params(picture, AREA, ASPECT) for _ in range(COUNT)]
    theirs = torch.tensor(drawn).double()
    quantities = (
        lambda boxes: boxes[:, 2] * boxes[:, 3] / (height * width),
        lambda boxes: (boxes[:, 3] / boxes[:, 2]).log(),
        lambda boxes: boxes[:, 0] / height,
        lambda boxes: boxes[:, 1] / width,
    )
    for quantity in quantities:
        mine, other = quantity(ours), quantity(theirs)
        edges = torch.cat([mine, other]).unique()
        distance = max(
            abs(
                torch.searchsorted(mine.sort().values, edges, right=True)
                - torch.searchsorted(other.sort().values, edges, right=True)
            )
            .div(COUNT)
            .tolist()
        )
        assert distance < 0.0195, "Kolmogorov and Smirnov's distance, which one in a thousand draws exceeds"
