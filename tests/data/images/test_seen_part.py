"""Where in a picture lies what a model sees, by the very scaling that makes its input."""

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo.data.images.scaling import scaled, scaling_of

SIZES = [(60, 90), (90, 60), (64, 64), (37, 151)]
HOW = [("squash", 1.0), ("squash", 0.8), ("center", 0.875), ("center", 1.0), ("border", 1.0)]


@pytest.mark.parametrize("mode,crop", HOW)
@pytest.mark.parametrize("size", SIZES)
def test_a_pixel_is_found_where_it_was_taken_from(size: tuple[int, int], mode: str, crop: float) -> None:
    inputs = zoo.Preprocessing(image_size=(32, 48), channels=1, crop=crop, crop_mode=mode)  # type: ignore[arg-type]
    top, left, bottom, right = zoo.seen_part(size, inputs)
    for axis, (start, end) in enumerate(((top, bottom), (left, right))):
        ramp = np.linspace(0, 255, size[axis], dtype=np.float32)
        shape = (-1, 1) if axis == 0 else (1, -1)
        picture = Image.fromarray(np.broadcast_to(ramp.reshape(shape), size).copy(), mode="F")
        seen = np.asarray(scaled(picture, inputs.image_size, scaling_of(inputs), "ramp"))
        middle = seen.shape[axis] // 2
        value = seen[middle, seen.shape[1] // 2] if axis == 0 else seen[seen.shape[0] // 2, middle]
        place = (middle + 0.5) / seen.shape[axis] * (end - start) + start - 0.5
        assert abs(place - value / 255 * (size[axis] - 1)) < 0.6


def test_edges_lie_outside() -> None:
    inputs = zoo.Preprocessing(image_size=(32, 32), channels=1, crop_mode="border")
    assert zoo.seen_part((16, 32), inputs) == (-8, 0, 24, 32)
