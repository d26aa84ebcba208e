"""Augmentation is what was drawn, for each sample by itself, and gradients pass it."""

import pytest
import torch
from zoo_gan.augmentation import change, draw_changes

import zoo

ALL = "colour_translation_cutout"


def images(count: int = 6, channels: int = 3) -> torch.Tensor:
    return torch.rand(count, channels, 16, 12, generator=torch.Generator().manual_seed(0))


def draws(*samples: int) -> zoo.Draws:
    return zoo.Draws(0, 0, torch.tensor(samples))


def test_none_changes_nothing() -> None:
    pictures = images()
    assert change(pictures, draw_changes("none", draws(*range(6)))) is pictures


@pytest.mark.parametrize("policy", ["translation", "translation_cutout", ALL])
def test_a_sample_is_changed_alike_in_any_batch(policy: str) -> None:
    pictures = images()
    whole = change(pictures, draw_changes(policy, draws(*range(6))))
    for place in range(6):
        alone = change(pictures[place : place + 1], draw_changes(policy, draws(place)))
        assert torch.allclose(whole[place], alone[0], atol=1e-6)


def test_translation_moves_by_whole_pixels_over_grey() -> None:
    pictures = images()
    for shift_rows, shift_columns, numbers in ((-2, -2, (0.0, 0.0)), (0, 0, (0.5, 0.5)), (2, 1, (0.99, 0.7))):
        moved = change(pictures, {"translation": torch.tensor([numbers] * 6)})
        for row in range(16):
            for column in range(12):
                y, x = row - shift_rows, column - shift_columns
                inside = 0 <= y < 16 and 0 <= x < 12
                expected = pictures[:, :, y, x] if inside else torch.full((6, 3), 0.5)
                torch.testing.assert_close(moved[:, :, row, column], expected)


def test_cutout_takes_a_rectangle_of_half_the_sides_where_it_lies_inside() -> None:
    cut = change(images() + 2, {"cutout": torch.full((6, 2), 0.5)})
    assert ((cut == 0.5).sum((2, 3)) == 8 * 6).all()
    at_the_corner = change(images() + 2, {"cutout": torch.zeros(6, 2)})
    assert ((at_the_corner == 0.5).sum((2, 3)) == 4 * 3).all()


def test_colour_is_brightness_saturation_and_contrast() -> None:
    picture = images(1)
    brighter = change(picture, {"colour": torch.tensor([[1.0, 0.5, 0.5]])})
    torch.testing.assert_close(brighter, picture + 0.25)
    grey = change(picture, {"colour": torch.tensor([[0.5, 0.0, 0.5]])})
    torch.testing.assert_close(grey, picture.mean(1, keepdim=True).expand(-1, 3, -1, -1))
    flat = change(picture, {"colour": torch.tensor([[0.5, 0.5, 0.0]])})
    torch.testing.assert_close(flat, picture.mean() + (picture - picture.mean()) / 2)


def test_gradients_pass_twice() -> None:
    pictures = images(4).requires_grad_()
    changed = change(pictures, draw_changes(ALL, draws(*range(4))))
    (first,) = torch.autograd.grad(changed.square().sum(), pictures, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), pictures)
    assert float(first.detach().abs().max()) > 0 and float(second.abs().max()) > 0
