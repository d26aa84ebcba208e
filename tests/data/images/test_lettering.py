"""Captions, legends, and small images enlarged."""

from PIL import Image

from tests.lettering import READABLE, written
from zoo.data.images.lettering import enlarged, with_caption, with_legend

RED = (200, 0, 0)


def test_small_images_grow_by_whole_pixels_and_large_ones_stay() -> None:
    small, times = enlarged(Image.new("L", (28, 14)))
    assert (small.size, small.mode, times) == ((336, 168), "RGB", 12)
    large = Image.new("RGB", (320, 10))
    assert enlarged(large)[0].size == large.size


def test_a_legend_takes_the_room_that_its_names_need() -> None:
    picture = Image.new("RGB", (60, 20))
    with written() as texts:
        drawn = with_legend(picture, [("a class with a long name", RED), ("cat", RED)])
    assert drawn.width > 200 and drawn.height >= 20 + 2 * 24
    assert list(texts) == ["a class with a long name", "cat"] and min(texts.values()) >= READABLE
    wide = with_legend(Image.new("RGB", (600, 20)), [("a class with a long name", RED), ("cat", RED)])
    assert wide.width == 600 and wide.height < drawn.height
    assert with_legend(picture, []) is picture


def test_117_names_are_printable_and_cut_where_they_are_very_long() -> None:
    with written() as texts:
        with_legend(Image.new("RGB", (60, 20)), [("a\nb", RED), ("x" * 1000, RED)])
    assert list(texts) == ["a\\nb", "x" * 39 + "…"]


def test_a_caption_stands_above_and_is_never_cut() -> None:
    drawn = with_caption(Image.new("RGB", (10, 10)), "ankle boot 0.93")
    assert drawn.width > 100 and drawn.getpixel((5, drawn.height - 5)) == (0, 0, 0)
