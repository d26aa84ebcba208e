"""The grid of neighbours: a row for each query, its text of 13 pixels, whatever the images are."""

from pathlib import Path

import numpy as np
from PIL import Image

from tests.lettering import READABLE, written
from zoo.inference.embedding.grid import draw_nearest


def test_a_row_for_each_query(tmp_path: Path) -> None:
    Image.new("RGB", (300, 100), (255, 0, 0)).save(tmp_path / "wide.png")
    items = [np.full((1, 28, 28), 7, np.uint8), tmp_path / "wide.png", np.zeros((3, 5, 5), np.uint8)]
    with written() as texts:
        draw_nearest(items, [[(1, 0.5), (2, 0.25)], [(0, 0.5)]], tmp_path / "out.png")
    assert list(texts) == ["query", "0.500", "0.250"] and min(texts.values()) >= READABLE
    with Image.open(tmp_path / "out.png") as drawn:
        assert drawn.size == (3 * 102 + 12, 2 * 126 + 6)
        assert drawn.getpixel((6 + 48, 6 + 48)) == (7, 7, 7)
        assert drawn.getpixel((12 + 102 + 48, 6 + 48)) == (255, 0, 0)
        assert drawn.getpixel((12 + 102 + 48, 6 + 5)) == (255, 255, 255)  # the wide one keeps its proportions
