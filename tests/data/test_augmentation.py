"""Augmentation: values stay in [0, 1], no strength changes nothing, and who else is in the batch does not matter."""

import math
from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from torch import Tensor

from zoo.data.augmentation import colour
from zoo.data.augmentation.blur import random_blur
from zoo.data.augmentation.colour import color_jitter, random_grayscale, random_solarize
from zoo.data.augmentation.crops import random_resized_crop
from zoo.data.augmentation.erasing import add_noise, random_erasing
from zoo.data.augmentation.geometry import affine, random_affine, random_crop, random_flip
from zoo.data.augmentation.mixing import cutmix, mix, mixup
from zoo.data.augmentation.names import Augmentation, Mixing
from zoo.data.augmentation.policies import augment
from zoo.data.augmentation.randaugment import rand_augment
from zoo.data.draws import Draws
from zoo.data.images.mnist import fashion_mnist_sample
from zoo.errors import UsageError

RANDOM: tuple[Callable[[Tensor, Draws], Tensor], ...] = (
    random_crop,
    random_flip,
    random_resized_crop,
    random_affine,
    color_jitter,
    random_grayscale,
    random_solarize,
    random_blur,
    random_erasing,
    rand_augment,
    lambda images, draws: add_noise(images, 0.2, draws),
)
TONES = (
    colour.change_brightness,
    colour.change_contrast,
    colour.change_saturation,
    colour.turn_hue,
    colour.sharpen,
    colour.posterize,
    colour.solarize,
    colour.autocontrast,
    colour.equalize,
)


def draws(batch: int, seed: int = 0) -> Draws:
    return Draws(seed, 0, torch.arange(batch))


def images(batch: int, channels: int, height: int, width: int, seed: int = 0) -> Tensor:
    levels = torch.randint(0, 256, (batch, channels, height, width), generator=torch.Generator().manual_seed(seed))
    return levels / 255


shapes = st.tuples(st.integers(1, 6), st.sampled_from([1, 3]), st.integers(1, 17), st.integers(1, 17))


@settings(max_examples=40, deadline=None)
@given(shape=shapes, seed=st.integers(0, 1000), step=st.sampled_from(RANDOM))
def test_values_stay_and_the_input_is_left_alone(shape: tuple[int, int, int, int], seed: int, step: object) -> None:
    before = images(*shape, seed=seed)
    kept = before.clone()
    after = step(before, draws(shape[0], seed))  # type: ignore[operator]
    assert after.shape == before.shape
    assert 0 <= float(after.min()) and float(after.max()) <= 1
    assert torch.equal(before, kept)


@settings(max_examples=40, deadline=None)
@given(shape=shapes, seed=st.integers(0, 1000), policy=st.sampled_from(get_args(Augmentation)))
def test_a_sample_does_not_depend_on_its_batch(shape: tuple[int, int, int, int], seed: int, policy: str) -> None:
    batch = images(*shape, seed=seed)
    whole = augment(batch, draws(shape[0], seed), policy)
    alone = [augment(batch[i : i + 1], Draws(seed, 0, torch.tensor([i])), policy) for i in range(shape[0])]
    assert torch.equal(whole, torch.cat(alone))


@pytest.mark.parametrize("policy", get_args(Augmentation))
def test_each_sample_has_its_own_draw(policy: Augmentation) -> None:
    one = images(1, 3, 16, 16).expand(64, -1, -1, -1)
    first, again, other = (augment(one, Draws(0, epoch, torch.arange(64)), policy) for epoch in (0, 0, 1))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (policy == "none")
    least = {"none": 0, "flip": 1, "shift": 20}.get(policy, 30)  # there are 25 places for 16 pixels
    assert len({result.numpy().tobytes() for result in first}) > least


def test_a_second_view_is_another() -> None:
    batch = images(8, 3, 16, 16)
    assert not torch.equal(
        augment(batch, draws(8), "crop_flip"), augment(batch, draws(8).within("second"), "crop_flip")
    )


@pytest.mark.parametrize("tone", TONES)
@pytest.mark.parametrize("channels", [1, 3])
def test_no_strength_changes_no_tone(tone: Callable[[Tensor, Tensor], Tensor], channels: int) -> None:
    batch = images(4, channels, 9, 7)
    torch.testing.assert_close(tone(batch, torch.zeros(4)), batch)


def test_no_strength_moves_nothing() -> None:
    batch = images(4, 3, 9, 14)
    still = [
        random_crop(batch, draws(4), share=0),
        random_resized_crop(batch, draws(4), area=(1, 1), aspect=(14 / 9, 14 / 9)),
        random_affine(batch, draws(4), degrees=0, shift=0, scale=0, shear=0),
        random_erasing(batch, draws(4), probability=0),
        color_jitter(batch, draws(4), brightness=0, contrast=0, saturation=0, hue=0),
        color_jitter(batch, draws(4), probability=0),
        random_grayscale(batch, draws(4), probability=0),
        random_solarize(batch, draws(4), probability=0),
        random_blur(batch, draws(4), probability=0),
        rand_augment(batch, draws(4), magnitude=0),
        rand_augment(batch, draws(4), operations=0),
    ]
    for result in still:
        torch.testing.assert_close(result, batch, atol=1e-5, rtol=0)


def test_crop_is_a_window_of_the_padded_picture_and_has_gradients() -> None:
    batch = images(6, 3, 16, 24)
    result = random_crop(batch, draws(6))
    places = draws(6).integers("crop", 0, 5 * 7)
    top, left = places // 7, places % 7
    padded = F.pad(batch, (3, 3, 2, 2))
    for place in range(6):
        assert torch.equal(
            result[place], padded[place, :, top[place] : top[place] + 16, left[place] : left[place] + 24]
        )
    wanted = batch.clone().requires_grad_()
    assert torch.equal(random_crop(wanted, draws(6)), result)
    random_crop(wanted, draws(6)).sum().backward()
    assert wanted.grad is not None and set(wanted.grad.unique().tolist()) == {0.0, 1.0}


def test_affine_turns_and_shifts_as_it_says() -> None:
    batch = images(3, 1, 8, 8)
    turned = affine(batch, radians=torch.full((3,), math.pi / 2))
    torch.testing.assert_close(turned, batch.rot90(1, (2, 3)), atol=1e-4, rtol=0)
    shifted = affine(batch, shift=torch.tensor([[0.25, 0.0]]).expand(3, 2))
    torch.testing.assert_close(shifted[..., 2:], batch[..., :-2], atol=1e-5, rtol=0)
    assert float(shifted[..., :2].abs().max()) < 1e-5
    halved = affine(batch, scale=torch.full((3,), 0.5))
    assert float(halved[:, :, :2].abs().max()) == 0


def test_tones_match_pillow() -> None:
    # Enlarged, because Pillow counts in whole pixels: on few of them its steps are coarse
    picture = fashion_mnist_sample(None).splits["train"].images[:8].repeat(8, 2).repeat(8, 3)
    batch, strength = torch.from_numpy(picture.copy()) / 255, torch.ones(8)
    for tone, reference in ((colour.equalize, ImageOps.equalize), (colour.autocontrast, ImageOps.autocontrast)):
        expected = [torch.from_numpy(np.array(reference(Image.fromarray(p[0])))).flatten() for p in picture]
        found = (tone(batch, strength) * 255).round().flatten(1)
        assert float((found - torch.stack(expected)).abs().max()) <= 2


def test_hue_leaves_grey_grey_and_comes_back_after_a_circle() -> None:
    grey = images(2, 1, 5, 5).expand(-1, 3, -1, -1)
    torch.testing.assert_close(colour.turn_hue(grey, torch.tensor([0.3, -0.2])), grey)
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    third = colour.turn_hue(red, torch.tensor([1 / 3]))
    assert sorted(third.flatten().round().tolist()) == [0, 0, 1] and float(third[0, 0]) < 0.01


@pytest.mark.parametrize("mixing", get_args(Mixing))
def test_mixed_targets_say_what_is_in_the_picture(mixing: Mixing) -> None:
    # Picture k is of the one level k / 8, so that its mean after mixing tells the shares
    batch = (torch.arange(8.0) / 8).view(8, 1, 1, 1).expand(8, 3, 20, 20)
    targets = torch.eye(8)
    mixed, soft = mix(batch, targets, draws(8), mixing)
    torch.testing.assert_close(soft.sum(1), torch.ones(8))
    torch.testing.assert_close(mixed.mean((1, 2, 3)), (soft * torch.arange(8.0) / 8).sum(1))
    assert torch.equal(soft, targets) == (mixing == "none")
    assert bool((soft.fliplr().diagonal() + soft.diagonal() > 0.999).all()), "the partner is the mirrored place"


def test_shares_are_spread_as_beta() -> None:
    count = 20_000
    batch, targets = torch.zeros(count, 1, 8, 8), torch.zeros(count, 1)
    targets[: count // 2] = 1  # the first half's share of its own is its target
    for mixer, alpha in ((mixup, 0.2), (mixup, 1.0)):
        own = mixer(batch, targets, draws(count), alpha=alpha)[1][: count // 2, 0]
        assert abs(float(own.mean()) - 0.5) < 0.02
        assert abs(float(own.var()) - 1 / (4 * (2 * alpha + 1))) < 0.005
    with pytest.raises(UsageError, match="alpha"):
        cutmix(batch, targets, draws(count), alpha=0)


def test_grey_inverted_and_blurred_are_what_they_say() -> None:
    batch = images(4, 3, 24, 24)
    grey = random_grayscale(batch, draws(4), probability=1)
    torch.testing.assert_close(
        grey, batch.mul(torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, True).expand_as(grey)
    )
    inverted = random_solarize(batch, draws(4), probability=1)
    assert torch.equal(inverted, torch.where(batch > 0.5, 1 - batch, batch))
    dot = torch.zeros(1, 1, 24, 24)
    dot[..., 12, 12] = 1
    blurred = random_blur(dot, draws(1), probability=1, deviation=(1.0, 1.0))
    bell = (-0.5 * torch.tensor([-1.0, 0.0, 1.0]) ** 2).exp()
    bell = bell / bell.sum()
    torch.testing.assert_close(blurred[0, 0, 11:14, 11:14], bell[:, None] * bell)
    assert float(blurred.sum()) == pytest.approx(1)


@pytest.mark.parametrize("change", [random_grayscale, random_solarize, random_blur])
def test_shares_of_pictures_are_changed(change: Callable[..., Tensor]) -> None:
    batch = images(1, 3, 8, 8).expand(2000, -1, -1, -1)
    changed = (change(batch, draws(2000), probability=0.3) - batch).abs().amax((1, 2, 3)) > 1e-4
    assert abs(float(changed.float().mean()) - 0.3) < 0.04


def test_erasing_covers_the_share_of_pictures_and_area_it_says() -> None:
    batch = torch.full((4000, 1, 32, 32), 2.0)
    covered = (random_erasing(batch, draws(4000), probability=0.5, area=(0.1, 0.1), aspect=(1, 1)) != 2).float()
    shares = covered.mean((1, 2, 3))
    assert abs(float((shares > 0).float().mean()) - 0.5) < 0.03
    assert shares[shares > 0].unique().tolist() == [pytest.approx(100 / 1024)]


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UsageError, match="crop_flip"):
        augment(images(1, 1, 4, 4), draws(1), "rotate")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="cutmix"):
        mix(images(1, 1, 4, 4), torch.eye(1), draws(1), "blend")  # type: ignore[arg-type]
