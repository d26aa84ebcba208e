"""Named policies, which settings choose."""

from collections.abc import Callable, Mapping
from typing import get_args

from torch import Tensor

from zoo.data.augmentation.colour import color_jitter
from zoo.data.augmentation.crops import random_resized_crop
from zoo.data.augmentation.erasing import random_erasing
from zoo.data.augmentation.geometry import random_affine, random_crop, random_flip
from zoo.data.augmentation.names import Augmentation
from zoo.data.augmentation.randaugment import rand_augment
from zoo.data.draws import Draws
from zoo.errors import UsageError

_Step = Callable[[Tensor, Draws], Tensor]


def _random_scale(images: Tensor, draws: Draws) -> Tensor:
    return random_affine(images, draws, degrees=0, shift=0.125, scale=0.2, shear=0)


_POLICIES: Mapping[Augmentation, tuple[_Step, ...]] = {
    "auto": (random_crop, random_flip),
    "none": (),
    "flip": (random_flip,),
    "shift": (random_crop,),
    "crop_flip": (random_crop, random_flip),
    "scale": (_random_scale,),
    "scale_flip": (_random_scale, random_flip),
    "jitter": (color_jitter,),
    "flip_jitter": (random_flip, color_jitter),
    "shift_jitter": (random_crop, color_jitter),
    "colour": (random_crop, random_flip, color_jitter),
    "scale_jitter": (_random_scale, color_jitter),
    "scale_flip_jitter": (_random_scale, random_flip, color_jitter),
    "resized_crop": (random_resized_crop,),
    "resized_crop_flip": (random_resized_crop, random_flip),
    "affine": (random_affine, random_flip),
    "erasing": (random_crop, random_flip, random_erasing),
    "randaugment": (random_crop, random_flip, rand_augment),
}


def augment(
    images: Tensor,
    draws: Draws,
    policy: Augmentation,
    *,
    size: tuple[int, int] | None = None,
    sizes: Tensor | None = None,
) -> Tensor:
    """Augment the pictures by a named policy; `images` itself is left as it is.

    Pictures of another `size` than they are to have are whole ones, from which parts are cut; `sizes` are those of
    their files. "auto", where nothing has been chosen by the data, cuts such parts where pictures are whole, shifts
    them where not, and mirrors half of them. A second view of the same samples takes other numbers:
    `augment(images, draws.within("second view"), policy)`.
    """
    if policy not in _POLICIES:
        raise UsageError(f"no augmentation {policy!r}; choose one of {', '.join(get_args(Augmentation))}")
    if size is not None and tuple(images.shape[2:]) != size:
        parts = random_resized_crop(images, draws, size=size, sizes=sizes)
        return parts if policy == "resized_crop" else random_flip(parts, draws)
    for step in _POLICIES[policy]:
        images = step(images, draws)
    return images
